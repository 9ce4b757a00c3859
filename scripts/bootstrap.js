// Sets up what a fresh clone lacks (packages from the lock file, the pinned Node, the built screen), then hands over.
// Plain JavaScript without packages: it runs on any Node from 20 on.
//   node scripts/bootstrap.js            set up, nothing else
//   node scripts/bootstrap.js test …     set up, then run scripts/<task>.ts with the pinned Node
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const lockStamp = path.join(root, 'node_modules', '.davylamp-lock');
const webStamp = path.join(root, 'web', 'dist', '.davylamp-sources');
const tasks = {
  test: 'scripts/test.ts',
  check: 'scripts/test.ts',
  build: 'scripts/build.ts',
  fuzz: 'scripts/fuzz.ts',
  soak: 'scripts/soak.ts',
  bench: 'benchmarks/run.ts',
  'bench:chain': 'benchmarks/chain.ts',
};

main().catch((error) => {
  console.error(`davylamp: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
});

async function main() {
  const [task, ...rest] = process.argv.slice(2);
  const major = Number(process.versions.node.split('.')[0]);
  if (major < 20)
    throw new Error(`Node ${process.versions.node} is too old to begin with; install Node 20 or newer`);
  if (task !== undefined && !Object.hasOwn(tasks, task)) {
    throw new Error(`unknown task '${task}'; known are ${Object.keys(tasks).join(', ')}`);
  }
  await ensurePackages();
  await ensureScreen();
  if (task === undefined) return;
  const extra = task === 'check' ? ['--static'] : [];
  process.exitCode = await run(pinnedNode(), ['--conditions=source', tasks[task], ...extra, ...rest]);
}

/** Installs from the lock file unless that very lock file is what is installed. */
async function ensurePackages() {
  const wanted = hashOf([path.join(root, 'package-lock.json')]);
  if (existsSync(lockStamp) && readFileSync(lockStamp, 'utf8') === wanted) return;
  const npm = process.env['npm_execpath'];
  // Not `npm ci`: it refuses a lock file without entries for the other platforms' optional packages, and some registries
  // do not carry those. With a lock file `install --no-save` takes the same versions by the same hashes.
  const args = [
    'install',
    '--no-save',
    '--include=dev',
    '--include=optional',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ];
  const [command, commandArgs] =
    npm !== undefined && /\.c?js$/.test(npm) ? [process.execPath, [npm, ...args]] : ['npm', args];
  const code = await withProgress('installing packages from the lock file', () => run(command, commandArgs));
  if (code !== 0) throw new Error(`'npm install' failed (exit code ${code}); its own lines above say why`);
  writeFileSync(lockStamp, wanted);
}

/** Builds the screen when its sources are not those that it was built from. */
async function ensureScreen() {
  const wanted = hashOf([
    ...filesBelow(path.join(root, 'web'), ['dist', 'dev']),
    path.join(root, 'src', 'api', 'types.ts'),
  ]);
  if (existsSync(webStamp) && readFileSync(webStamp, 'utf8') === wanted) return;
  const vite = path.join(root, 'node_modules', 'vite', 'bin', 'vite.js');
  const code = await withProgress('building the screen', () =>
    run(pinnedNode(), [vite, 'build', 'web', '--logLevel', 'warn']),
  );
  if (code !== 0)
    throw new Error(`the screen could not be built (exit code ${code}); the lines above say why`);
  mkdirSync(path.dirname(webStamp), { recursive: true });
  writeFileSync(webStamp, wanted);
}

function pinnedNode() {
  const file = path.join(root, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node');
  if (existsSync(file)) return file;
  if (Number(process.versions.node.split('.')[0]) >= 24) return process.execPath;
  throw new Error(
    `there is no pinned Node for ${process.platform}-${process.arch} and this Node is ${process.versions.node}; install Node 24`,
  );
}

function run(command, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: 'inherit' });
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
    child.on('error', (error) => reject(new Error(`'${command}' cannot be run: ${error.message}`)));
    child.on('exit', (code, signal) => resolve(code ?? (signal === null ? 1 : 128)));
  });
}

/** Says what is being done, and every two seconds that it goes on. */
async function withProgress(what, work) {
  const start = performance.now();
  const seconds = () => Math.round((performance.now() - start) / 1000);
  console.error(`davylamp: ${what} …`);
  const timer = setInterval(() => console.error(`davylamp: ${what} … ${seconds()} s`), 2000);
  try {
    return await work();
  } finally {
    clearInterval(timer);
    console.error(`davylamp: ${what}: ${seconds()} s`);
  }
}

function hashOf(files) {
  const hash = createHash('sha256');
  for (const file of files) {
    hash.update(path.relative(root, file));
    hash.update(readFileSync(file));
  }
  return hash.digest('hex');
}

function filesBelow(folder, except) {
  const files = [];
  for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) =>
    a.name < b.name ? -1 : 1,
  )) {
    if (except.includes(entry.name)) continue;
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) files.push(...filesBelow(file, []));
    else files.push(file);
  }
  return files;
}

/**
 * Every check and test of the project, in order, each with its time; the last line counts them.
 *   node --conditions=source scripts/test.ts [--static] [--only NAME[,NAME]] [--list]
 * `--static` leaves the running tests out. What a test needs from Debian is installed when that is allowed (root on
 * Debian); otherwise those tests skip themselves by name, and this script says so.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';

const root = path.dirname(import.meta.dirname);
const node = process.execPath;
const binary = (name: string): string => path.join(root, 'node_modules', '.bin', name);

interface Step {
  readonly name: string;
  readonly kind: 'static' | 'test';
  readonly command: string;
  readonly args: readonly string[];
}

const stepLimitMinutes = 10;
const source = '--conditions=source';
/** No file would make the runner look for tests by itself, everywhere. */
function testFiles(...patterns: string[]): string[] {
  const files = globSync(patterns, { cwd: root }).sort();
  if (files.length === 0) throw new Error(`there is no test file ${patterns.join(' ')}`);
  return files;
}
const runTests = (name: string, files: readonly string[], ...options: string[]): Step => ({
  name,
  kind: 'test',
  command: node,
  args: [source, '--test', '--test-reporter=tap', '--test-timeout=300000', ...options, ...files],
});
const script = (name: string, file: string, ...args: string[]): Step => ({
  name,
  kind: 'static',
  command: node,
  args: [source, file, ...args],
});

const steps: readonly Step[] = [
  { name: 'types', kind: 'static', command: binary('tsc'), args: ['-p', 'tsconfig.json'] },
  { name: 'types of the screen', kind: 'static', command: binary('tsc'), args: ['-p', 'web/tsconfig.json'] },
  {
    name: 'lint',
    kind: 'static',
    command: binary('oxlint'),
    args: [
      '--type-aware',
      '--deny-warnings',
      'src',
      'devices',
      'test',
      'scripts',
      'benchmarks',
      'examples',
      'web',
    ],
  },
  { name: 'format', kind: 'static', command: binary('oxfmt'), args: ['--check', '.'] },
  script('layers', 'scripts/check-layers.ts'),
  { name: 'dead code', kind: 'static', command: binary('knip'), args: [] },
  script('conformance lists', 'scripts/check-conformance.ts'),
  script('reference pages', 'scripts/reference.ts', '--check'),
  runTests(
    'unit tests',
    testFiles('src/**/*.test.ts', 'devices/**/*.test.ts', 'web/src/**/*.test.ts', 'benchmarks/*.test.ts'),
  ),
  runTests('integration tests', testFiles('test/integration/**/*.test.ts'), '--test-concurrency=1'),
  runTests('client tests', testFiles('test/clients/**/*.test.ts'), '--test-concurrency=1'),
  runTests('conformance tests', testFiles('test/conformance/**/*.test.ts')),
  {
    name: 'instructions of the hot functions',
    kind: 'test',
    command: node,
    args: [source, 'scripts/check-instructions.ts'],
  },
  runTests('fuzz test', testFiles('test/fuzz/**/*.test.ts')),
  runTests('comparison with Mosquitto', testFiles('test/differential/**/*.test.ts')),
  runTests('fault tests', testFiles('test/faults/**/*.test.ts'), '--test-concurrency=1'),
  runTests('browser test', testFiles('test/browser/**/*.test.ts'), '--test-concurrency=1'),
];

const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { version: string };
console.log(`davylamp ${version}, Node ${process.versions.node}`);
const { values: options } = parseArgs({
  options: { static: { type: 'boolean' }, only: { type: 'string' }, list: { type: 'boolean' } },
});
const only = options.only?.split(',');
const chosen = steps.filter(
  (step) =>
    (options.static !== true || step.kind === 'static') && (only === undefined || only.includes(step.name)),
);
if (options.list === true) {
  console.log(steps.map((step) => step.name).join('\n'));
} else {
  if (options.static !== true) installPackages();
  await runAll(chosen);
}

/** Debian packages that tests use, with the program by which they are recognised. */
function installPackages(): void {
  const wanted = [
    { name: 'chromium', program: '/usr/bin/chromium' },
    { name: 'mosquitto', program: '/usr/sbin/mosquitto' },
    { name: 'mosquitto-clients', program: '/usr/bin/mosquitto_pub' },
    { name: 'python3-paho-mqtt', program: '/usr/lib/python3/dist-packages/paho/mqtt/client.py' },
    { name: 'openssl', program: '/usr/bin/openssl' },
    { name: 'valgrind', program: '/usr/bin/valgrind' },
    // Of the fault tests: clocks that are set, networks that lose packets.
    { name: 'faketime', program: '/usr/bin/faketime' },
    { name: 'iproute2', program: '/usr/sbin/ip' },
    { name: 'nftables', program: '/usr/sbin/nft' },
  ];
  const missing = wanted.filter((one) => !existsSync(one.program)).map((one) => one.name);
  if (missing.length === 0) return;
  const debian = existsSync('/etc/debian_version');
  if (!debian || process.getuid?.() !== 0) {
    console.log(
      `SKIPPED: tests that need ${missing.join(', ')} (not installed; ${debian ? 'only root may install them' : 'this is not Debian'})`,
    );
    return;
  }
  console.log(`installing ${missing.join(', ')} …`);
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const apt = (...args: string[]): number =>
    spawnSync('apt-get', ['-qq', ...args], { stdio: ['ignore', 'ignore', 'inherit'], env: environment })
      .status ?? 1;
  if (apt('update') !== 0 || apt('install', '-y', '--no-install-recommends', ...missing) !== 0) {
    console.log(`SKIPPED: tests that need ${missing.join(', ')} (apt-get could not install them)`);
  }
}

async function runAll(list: readonly Step[]): Promise<void> {
  const failedSteps: string[] = [];
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const [index, step] of list.entries()) {
    const label = `[${index + 1}/${list.length}] ${step.name}`;
    console.log(`${label} …`);
    const start = performance.now();
    const { code, output } = await run(step);
    const counts =
      step.kind === 'test'
        ? countsOf(output)
        : { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 };
    total.passed += counts.passed;
    total.failed += counts.failed === 0 && code !== 0 ? 1 : counts.failed;
    total.skipped += counts.skipped;
    for (const [line] of output.matchAll(/^.*# SKIP.*$/gm)) console.log(`SKIPPED: ${line.trim()}`);
    for (const [line] of output.matchAll(/^# (?:counted|measured|seed): .*$/gm)) console.log(line);
    if (code !== 0) {
      failedSteps.push(step.name);
      console.log(step.kind === 'test' ? failuresOf(output) : output.trimEnd());
    }
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    console.log(
      `${label}: ${code === 0 ? 'ok' : 'FAILED'} (${seconds} s${step.kind === 'test' ? `, ${counts.passed} passed` : ''})`,
    );
  }
  if (failedSteps.length > 0) console.log(`failed: ${failedSteps.join(', ')}`);
  console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
  process.exitCode = failedSteps.length === 0 ? 0 : 1;
}

/** The test runner's own account at the end of its TAP. */
function countsOf(output: string): { passed: number; failed: number; skipped: number } {
  const count = (name: string): number =>
    Number(new RegExp(`^# ${name} (\\d+)$`, 'm').exec(output)?.[1] ?? 0);
  return { passed: count('pass'), failed: count('fail') + count('cancelled'), skipped: count('skipped') };
}

/** Of a TAP stream only what failed, with its details, and what was written outside of it. */
function failuresOf(output: string): string {
  const lines = output.split('\n');
  const kept: string[] = [];
  let inFailure = false;
  for (const line of lines) {
    if (/^\s*not ok /.test(line)) inFailure = true;
    else if (/^\s*(ok |# Subtest|\d+\.\.\d+)/.test(line)) inFailure = false;
    if (inFailure || !/^\s*(ok |# |---|\.\.\.|duration_ms|type:|\d+\.\.)/.test(line)) kept.push(line);
  }
  return kept.slice(-400).join('\n');
}

/** Runs a step, keeps what it prints, and says every ten seconds that it goes on. */
function run(step: Step): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(step.command, [...step.args], {
      cwd: root,
      env: { ...process.env, PATH: `${path.dirname(node)}:${process.env['PATH'] ?? ''}`, FORCE_COLOR: '0' },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const stopAll = (): void => {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    };
    // A test file that never ends must not hold the whole run: its step fails and says so.
    const limit = setTimeout(() => {
      output += `${step.name} did not end within ${stepLimitMinutes} minutes and was stopped\n`;
      stopAll();
    }, stepLimitMinutes * 60_000);
    process.once('SIGINT', stopAll);
    process.once('SIGTERM', stopAll);
    let output = '';
    const keep = (chunk: Buffer): void => {
      output += chunk.toString('utf8');
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    const start = performance.now();
    const timer = setInterval(
      () => console.log(`    ${step.name} … ${Math.round((performance.now() - start) / 1000)} s`),
      10_000,
    );
    const end = (code: number): void => {
      clearInterval(timer);
      clearTimeout(limit);
      process.off('SIGINT', stopAll);
      process.off('SIGTERM', stopAll);
      resolve({ code, output });
    };
    child.on('error', (error) => {
      output += `${step.command}: ${error.message}\n`;
      end(1);
    });
    child.on('close', (code) => end(code ?? 1));
  });
}

/** The package as it is published, seen from a program outside: compiled code, exports, types. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = path.resolve(import.meta.dirname, '../..');
const tsc = path.join(root, 'node_modules', '.bin', 'tsc');
const env = { ...process.env, PATH: `${path.dirname(process.execPath)}:${process.env['PATH'] ?? ''}` };

const program = `
import { Broker, ReasonCode, type BrokerHooks } from 'davylamp/broker';

const hooks: BrokerHooks = { transform: ({ topic }) => (topic === 'x' ? { drop: 'no' } : undefined) };
await using broker = await Broker.start({ listeners: [{ port: 0, allowAnonymous: true }], hooks });
const code: ReasonCode = broker.publish('t', 'x');
// @ts-expect-error what is not an option does not compile: the types are really there
const misspelt: Parameters<typeof Broker.start>[0] = { listenerz: [] };
console.log(broker.url.startsWith('mqtt://'), code, misspelt !== undefined);
`;

test('a program outside imports davylamp/broker, with its types, from the compiled package', async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'davylamp-package-'));
  try {
    const modules = path.join(folder, 'node_modules');
    const installed = path.join(modules, 'davylamp');
    await mkdir(path.join(modules, '@types'), { recursive: true });
    await mkdir(installed);
    await run(tsc, ['-p', 'tsconfig.build.json', '--outDir', path.join(installed, 'dist')], {
      cwd: root,
      env,
    });
    await copyFile(path.join(root, 'package.json'), path.join(installed, 'package.json'));
    await symlink(path.join(root, 'node_modules'), path.join(installed, 'node_modules'));
    for (const name of ['@types/node', 'undici-types'])
      await symlink(path.join(root, 'node_modules', name), path.join(modules, name));
    await writeFile(path.join(folder, 'package.json'), '{ "type": "module" }');
    await writeFile(path.join(folder, 'program.ts'), program);
    const options = '--noEmit --strict --module nodenext --target es2024 --lib es2024,esnext.disposable';
    await run(tsc, [...options.split(' '), '--types', 'node', 'program.ts'], { cwd: folder, env });
    const { stdout } = await run(process.execPath, ['program.ts'], { cwd: folder, env });
    assert.equal(stdout, 'true 16 true\n');
    const inner = "import('davylamp/src/broker/index.ts')";
    await assert.rejects(run(process.execPath, ['-e', inner], { cwd: folder, env }), /ERR_PACKAGE_PATH/);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

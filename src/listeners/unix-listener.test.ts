import assert from 'node:assert/strict';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { execFileSync } from 'node:child_process';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { dial, exchange, hasCode, openDoor } from '../../test/helpers/listener-door.ts';

const folder = await mkdtemp(path.join(os.tmpdir(), 'davylamp-unix-'));
after(() => rm(folder, { recursive: true, force: true }));

test('private file, stale file replaced, living one left alone, other files left alone', async () => {
  const file = path.join(folder, 'broker.sock');
  await using door = await openDoor({ protocol: 'unix', path: file });
  assert.deepEqual([door.address, door.port], [file, 0]);
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  const near = await dial({ port: 0, path: file });
  const far = await door.accepted();
  await exchange(near, far);
  assert.deepEqual(far.transport!.peer, { address: 'local', port: 0, certificate: null });
  await assert.rejects(
    openDoor({ protocol: 'unix', path: file }),
    hasCode('PORT_TAKEN', /broker\.sock is taken/),
  );
  near.transport.destroy();

  const plain = path.join(folder, 'notes.txt');
  await writeFile(plain, 'mine');
  await assert.rejects(
    openDoor({ protocol: 'unix', path: plain }),
    hasCode('LISTEN_FAILED', /exists and is no socket/),
  );
  await assert.rejects(
    openDoor({ protocol: 'unix', path: path.join(folder, 'no', 'where.sock') }),
    hasCode('LISTEN_FAILED', /the folder does not exist|access is denied/),
  );
});

test('a socket file that nobody answers on is replaced', async () => {
  const file = path.join(folder, 'stale.sock');
  // A process that dies with the socket open leaves its file behind.
  const script = `require('node:net').createServer().listen(${JSON.stringify(file)}, () => process.kill(process.pid, 'SIGKILL'))`;
  assert.throws(() => execFileSync(process.execPath, ['-e', script], { stdio: 'ignore' }));
  assert.ok((await stat(file)).isSocket());
  await using door = await openDoor({ protocol: 'unix', path: file });
  assert.equal(door.address, file);
});

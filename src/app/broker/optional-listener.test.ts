import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger, SystemClock } from '#base';
import { readMosquittoConf, type Config } from '#config';
import type { RoleLog } from '../logging.ts';
import { RunningRole } from '../role.ts';

const source = { folder: '/', hostName: 'gateway', readFile: () => '', listFolder: () => [] };
const log: RoleLog = {
  logger: silentLogger,
  mosquitto: null,
  prepare: () => Promise.resolve({ warnings: [], commit: () => {}, abort: () => Promise.resolve() }),
  close: () => Promise.resolve(),
};

/** What a broker without a file listens on; in place of `::1` an address that no machine has (RFC 5737). */
async function withoutSecondAddress(isOptional: boolean): Promise<Config> {
  const { config } = await readMosquittoConf(null, source);
  assert.deepEqual(
    config.listeners.map((listener) => listener.isOptional ?? false),
    [false, true],
  );
  const addresses = ['127.0.0.1', '192.0.2.1'];
  const listeners = config.listeners.map((listener, index) => {
    const changed = { ...listener, address: addresses[index] ?? '', port: 0 };
    return index === 1 ? { ...changed, isOptional } : changed;
  });
  return { ...config, listeners };
}

test('a broker starts and reloads without a listener whose address the machine does not have, when it is optional', async () => {
  const config = await withoutSecondAddress(true);
  await using role = await RunningRole.start(config, { clock: new SystemClock(), log, version: 'test' });
  assert.equal(role.listening.length, 1);
  (await role.prepare(config)).commit();
  assert.equal(role.listening.length, 1);
});

test('it does not start without one that is not optional', async () => {
  const config = await withoutSecondAddress(false);
  await assert.rejects(RunningRole.start(config, { clock: new SystemClock(), log, version: 'test' }), {
    code: 'LISTEN_FAILED',
  });
});

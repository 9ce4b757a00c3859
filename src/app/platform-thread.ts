import path from 'node:path';
import process from 'node:process';
import { parentPort, workerData } from 'node:worker_threads';
import { DavylampError, SystemClock, messageOf } from '#base';
import { createApi } from '#api';
import { createLogger } from './logging.ts';
import { packageFolder } from './modules.ts';
import { Platform } from './platform.ts';
import type { PlatformThreadData, PlatformThreadMessage } from './platform-host.ts';

/**
 * The thread that ingest, store, alarms and API live in. It ends itself when a commit fails: the next one starts from
 * what the store holds, which is all that was ever acknowledged.
 */
const data = workerData as PlatformThreadData;
const clock = new SystemClock();
const log = createLogger(clock, data.logLevel).child('platform');
const say = (message: PlatformThreadMessage): void => parentPort?.postMessage(message);

/** Says why and ends the thread; with a store that failed there is nothing to save. */
function fail(error: unknown): void {
  const known =
    error instanceof DavylampError
      ? error
      : new DavylampError('BUG', `platform: ${messageOf(error)}`, { cause: error });
  say({ kind: 'failed', code: known.code, message: known.message });
  if (known.code === 'BUG' && error instanceof Error) log.error(error.stack ?? error.message);
  // The message is posted before the thread ends.
  setImmediate(() => process.exit(1));
}

try {
  const platform = new Platform({ ...data, config: data.platform, clock, log, onFailed: fail });
  await platform.start();
  const api = createApi({
    platform,
    webFolder: path.join(packageFolder, 'web', 'dist'),
    log: log.child('api'),
    clock,
    version: data.version,
  });
  const { port } = await api.start(data.platform.api.address, data.platform.api.port);
  say({ kind: 'ready', apiPort: port });
  parentPort?.once('message', () => {
    api
      .close()
      .then(() => platform.close())
      .then(() => process.exit(0), fail);
  });
} catch (error) {
  fail(error);
}

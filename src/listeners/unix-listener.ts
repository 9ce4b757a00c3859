import { chmod, lstat, unlink } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { isMainThread } from 'node:worker_threads';
import { DavylampError, systemCodeOf } from '#base';
import type { ListenerConfig } from '#config';
import type {
  BoundAddress,
  Listener,
  ListenerBounds,
  ListenerContext,
  ListenerStatistics,
  OnTransport,
  PreparedReload,
} from './listener.ts';
import { SocketListener } from './socket-listener.ts';

/** MQTT over a Unix socket that only this user may open. */
export class UnixListener implements Listener {
  readonly #base: SocketListener;

  constructor(config: ListenerConfig, onTransport: OnTransport, context: ListenerContext) {
    this.#base = new SocketListener(config, context, {
      onTransport,
      onSocket: (socket, peer) => this.#base.accept(socket, peer),
    });
  }

  get statistics(): Readonly<ListenerStatistics> {
    return this.#base.statistics;
  }

  async start(): Promise<BoundAddress> {
    const { path } = this.#base.config;
    await this.#removeStale(path);
    // Private from its first moment; a worker thread may not set the mask and has only the chmod below.
    const mask = isMainThread ? process.umask(0o177) : 0;
    let bound: Promise<BoundAddress>;
    try {
      bound = this.#base.listen([{ options: { path }, where: path }]);
    } finally {
      if (isMainThread) process.umask(mask);
    }
    const address = await bound;
    await chmod(path, 0o600);
    return address;
  }

  async prepareReload(config: ListenerConfig, bounds?: ListenerBounds): Promise<PreparedReload> {
    this.#base.checkSameDoor(config);
    return { warnings: [], commit: () => this.#base.change(config, bounds) };
  }

  close(): Promise<void> {
    this.#base.close();
    return Promise.resolve();
  }

  /** A socket file that nobody answers on was left by a crash. */
  async #removeStale(path: string): Promise<void> {
    const title = this.#base.title;
    const entry = await lstat(path).catch((error: unknown) => {
      if (systemCodeOf(error) === 'ENOENT' || systemCodeOf(error) === 'ENOTDIR') return null;
      throw new DavylampError('LISTEN_FAILED', `${title}: cannot look at ${path}`, { cause: error });
    });
    if (entry === null) return;
    if (!entry.isSocket()) {
      throw new DavylampError(
        'LISTEN_FAILED',
        `${title}: ${path} exists and is no socket; choose another path`,
      );
    }
    if (await answers(path)) {
      const message = `${title}: ${path} is taken; choose another path or stop the program that uses it`;
      throw new DavylampError('PORT_TAKEN', message);
    }
    await unlink(path);
  }
}

/** Is somebody listening? Only a refusal says no: whatever else happens, the file is not ours to remove. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ path });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error) => resolve(systemCodeOf(error) !== 'ECONNREFUSED'));
  });
}

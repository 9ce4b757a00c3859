import { createServer } from 'node:net';
import type { ListenerConfig } from '#config';
import type { BoundAddress, Listener, ListenerContext, ListenerStatistics, OnTransport } from './listener.ts';
import { SocketListener } from './socket-listener.ts';

/** MQTT over plain TCP. */
export class TcpListener implements Listener {
  readonly #base: SocketListener;

  constructor(config: ListenerConfig, onTransport: OnTransport, context: ListenerContext) {
    this.#base = new SocketListener(config, onTransport, context);
  }

  get statistics(): Readonly<ListenerStatistics> {
    return this.#base.statistics;
  }

  start(): Promise<BoundAddress> {
    const { address, port } = this.#base.config;
    const server = createServer({ noDelay: true }, (socket) => this.#base.accept(socket, null));
    return this.#base.listen(server, { host: address, port }, `${address}:${port}`);
  }

  close(): Promise<void> {
    this.#base.close();
    return Promise.resolve();
  }
}

import type { ListenerConfig } from '#config';
import type { BoundAddress, Listener, ListenerContext, ListenerStatistics, OnTransport } from './listener.ts';
import { certificateOf } from './peer.ts';
import { SocketListener } from './socket-listener.ts';
import { TlsServer } from './tls-server.ts';

/** MQTT over TLS 1.2 and 1.3, with or without client certificates. */
export class TlsListener implements Listener {
  readonly #base: SocketListener;
  readonly #tls: TlsServer;

  constructor(config: ListenerConfig, onTransport: OnTransport, context: ListenerContext) {
    this.#base = new SocketListener(config, onTransport, context);
    this.#tls = new TlsServer(this.#base, (socket) => this.#base.accept(socket, certificateOf(socket)));
  }

  get statistics(): Readonly<ListenerStatistics> {
    return this.#base.statistics;
  }

  async start(): Promise<BoundAddress> {
    const { address, port } = this.#base.config;
    const server = await this.#tls.create();
    return this.#base.listen(server, { host: address, port }, `${address}:${port}`);
  }

  close(): Promise<void> {
    this.#base.close();
    this.#tls.close();
    return Promise.resolve();
  }
}

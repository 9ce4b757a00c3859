import type { ListenerConfig } from '#config';
import { listenPlaces } from './listen-places.ts';
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
import { TlsServer } from './tls-server.ts';

/** MQTT over TLS 1.2 and 1.3, with or without client certificates, or with keys shared beforehand. */
export class TlsListener implements Listener {
  readonly #base: SocketListener;
  readonly #tls: TlsServer;

  constructor(config: ListenerConfig, onTransport: OnTransport, context: ListenerContext) {
    this.#base = new SocketListener(config, context, {
      onTransport,
      onSocket: (socket, peer) => this.#tls.begin(socket, peer),
    });
    this.#tls = new TlsServer(this.#base, (socket, peer) => this.#base.accept(socket, peer));
  }

  get statistics(): Readonly<ListenerStatistics> {
    return this.#base.statistics;
  }

  async start(): Promise<BoundAddress> {
    await this.#tls.start();
    return this.#base.listen(await listenPlaces(this.#base.config));
  }

  async prepareReload(config: ListenerConfig, bounds?: ListenerBounds): Promise<PreparedReload> {
    this.#base.checkSameDoor(config);
    const tls = await this.#tls.prepare(config);
    return {
      warnings: tls.warnings,
      commit: () => {
        this.#base.change(config, bounds);
        tls.commit();
      },
    };
  }

  close(): Promise<void> {
    this.#base.close();
    this.#tls.close();
    return Promise.resolve();
  }
}

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

/** MQTT over plain TCP. */
export class TcpListener implements Listener {
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
    return this.#base.listen(await listenPlaces(this.#base.config));
  }

  async prepareReload(config: ListenerConfig, bounds?: ListenerBounds): Promise<PreparedReload> {
    this.#base.checkSameDoor(config);
    return { warnings: [], commit: () => this.#base.change(config, bounds) };
  }

  close(): Promise<void> {
    this.#base.close();
    return Promise.resolve();
  }
}

import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { WireClient, type WireTransport } from './wire-client.ts';

/** The other side of a client under test: takes its connections on a free port and does exactly what the test says. */
export class WireBroker {
  readonly #server: Server;
  readonly #sockets: Socket[] = [];
  #wake: ((socket: Socket) => void) | null = null;

  constructor() {
    this.#server = createServer({ noDelay: true }, (socket) => {
      if (this.#wake === null) this.#sockets.push(socket);
      else this.#wake(socket);
      this.#wake = null;
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  start(): Promise<this> {
    return new Promise((resolve) => {
      this.#server.listen(0, '127.0.0.1', () => resolve(this));
    });
  }

  /** The next connection: what is received there are the client's packets. */
  accept(): Promise<WireClient> {
    const accepting: WireTransport = {
      name: 'accepted',
      protocol: 'tcp',
      open: async (_port, events) => {
        const socket = this.#sockets.shift() ?? (await this.#nextSocket());
        socket.on('error', () => {});
        socket.on('data', events.onBytes);
        socket.on('close', events.onClose);
        return { write: (bytes) => void socket.write(bytes), destroy: () => socket.destroy() };
      },
    };
    return new WireClient(5).open(accepting, 0);
  }

  #nextSocket(): Promise<Socket> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  [Symbol.dispose](): void {
    this.#server.close();
  }
}

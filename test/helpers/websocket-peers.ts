import { createConnection } from 'node:net';
import { WebSocket, type ClientOptions } from 'ws';
import type { Door, Recorder } from './listener-door.ts';

/** A door for MQTT over WebSocket. */
export const plain = { protocol: 'ws', webSocket: { path: '/mqtt', allowedOrigins: [] } } as const;

/** A client of the library alone, so that a test says what is in each message. */
export class Browser {
  readonly web: WebSocket;
  text = '';
  messages = 0;
  pongs: string[] = [];
  closeCode = 0;
  error: Error | undefined;
  #wake: () => void = () => {};

  constructor(port: number, options: ClientOptions = {}, protocols = ['mqtt'], path = '/mqtt') {
    this.web = new WebSocket(`ws://127.0.0.1:${port}${path}`, protocols, options);
    const note = (): void => this.#wake();
    this.web.on('open', note);
    this.web.on('message', (data: Buffer) => {
      this.text += data.toString('latin1');
      this.messages += 1;
      note();
    });
    this.web.on('pong', (data) => {
      this.pongs.push(data.toString());
      note();
    });
    this.web.on('error', (error) => {
      this.error = error;
      note();
    });
    this.web.on('close', (code) => {
      this.closeCode = code;
      note();
    });
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async opened(): Promise<this> {
    await this.until(() => this.web.readyState === WebSocket.OPEN);
    return this;
  }
}

/** Sends bytes as they are and gives back all that comes until the other side closes. */
export function talk(port: number, text: string | Buffer): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = createConnection({ host: '127.0.0.1', port }, () => socket.write(text));
    socket.on('data', (chunk) => (answer += chunk.toString('latin1')));
    socket.on('error', () => {});
    socket.on('close', () => resolve(answer));
  });
}

/** A request for WebSocket, header by header. */
export function requestText(
  change: Readonly<Record<string, string | null>> = {},
  line = 'GET /mqtt HTTP/1.1',
): string {
  const headers: Record<string, string | null> = {
    Host: 'broker.example:8083',
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': Buffer.alloc(16).toString('base64'),
    'Sec-WebSocket-Protocol': 'mqtt',
    ...change,
  };
  const lines = Object.entries(headers).flatMap(([name, value]) =>
    value === null ? [] : `${name}: ${value}`,
  );
  return `${[line, ...lines].join('\r\n')}\r\n\r\n`;
}

/** A client that is through the handshake, and its other side. */
export async function connected(door: Door): Promise<readonly [Browser, Recorder]> {
  const near = await new Browser(door.port).opened();
  return [near, await door.accepted()];
}

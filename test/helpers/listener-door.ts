import assert from 'node:assert/strict';
import {
  DavylampError,
  LineLogger,
  SystemClock,
  type Clock,
  type Transport,
  type TransportHandler,
} from '#base';
import type { ListenerConfig } from '#config';
import {
  createDialer,
  createListener,
  type DialOptions,
  type Listener,
  type ListenerContext,
} from '#listeners';
import { listenerConfig } from './listener-config.ts';

/** One side of a connection, with promises for what a test waits for. */
export class Recorder implements TransportHandler {
  text = '';
  drains = 0;
  closes = 0;
  error: Error | undefined;
  transport: Transport | null = null;
  #wake: () => void = () => {};

  onBytes(chunk: Buffer): void {
    this.text += chunk.toString('latin1');
    this.#wake();
  }

  onDrain(): void {
    this.drains += 1;
    this.#wake();
  }

  onClose(error: Error | undefined): void {
    this.closes += 1;
    this.error = error;
    this.#wake();
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

/** A listener that is open, and what came through it. */
export interface Door {
  readonly listener: Listener;
  readonly config: ListenerConfig;
  readonly port: number;
  readonly address: string;
  readonly lines: string[];
  /** The next connection that the listener hands on. */
  accepted(): Promise<Recorder>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Opens a listener on a free port of this machine. */
export async function openDoor(
  change: Partial<ListenerConfig> = {},
  maximumConnections = 100,
  clock: Clock = new SystemClock(),
  more: Partial<ListenerContext> = {},
): Promise<Door> {
  const config = listenerConfig(change);
  const lines: string[] = [];
  const log = new LineLogger({ clock, level: 'info', write: (line) => lines.push(line) });
  const waiting: Recorder[] = [];
  const all: Transport[] = [];
  let wake: () => void = () => {};
  const onTransport = (transport: Transport): void => {
    const recorder = new Recorder();
    recorder.transport = transport;
    transport.handler = recorder;
    all.push(transport);
    waiting.push(recorder);
    wake();
  };
  const context = { log: log.child('listener:detectors'), clock, maximumConnections, ...more };
  const listener = createListener(config, onTransport, context);
  const bound = await listener.start();
  return {
    listener,
    config,
    lines,
    ...bound,
    async accepted() {
      while (waiting.length === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      return waiting.shift()!;
    },
    async [Symbol.asyncDispose]() {
      await listener.close();
      for (const transport of all) transport.destroy();
    },
  };
}

/** The line that the listener writes after so many. */
export async function lineAfter({ lines }: Door, count: number): Promise<string> {
  while (lines.length <= count) await new Promise((resolve) => setImmediate(resolve));
  return lines[count]!;
}

/** The side that has dialed. */
export interface Dialed extends Recorder {
  readonly transport: Transport;
}

/** Connects with the project's own dialer. */
export async function dial(options: Partial<DialOptions> & { readonly port: number }): Promise<Dialed> {
  const recorder = new Recorder();
  const dialer = createDialer({ host: '127.0.0.1', tls: null, ...options });
  recorder.transport = await dialer.dial(recorder, new AbortController().signal);
  return recorder as Dialed;
}

/** For `assert.rejects`: code and message. */
export function hasCode(code: string, pattern: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof DavylampError);
    assert.match(error.message, pattern);
    assert.equal(error.code, code);
    return true;
  };
}

/** One word each way. */
export async function exchange(near: Dialed, far: Recorder): Promise<void> {
  near.transport.write(Buffer.from('ping'));
  await far.until(() => far.text === 'ping');
  far.transport!.write(Buffer.from('pong'));
  await near.until(() => near.text === 'pong');
}

/** Bytes go both ways without loss, and each side is told once that it is over, whatever is still called. */
export async function exchangeAndPart(door: Door, near: Dialed): Promise<void> {
  const far = await door.accepted();
  await exchange(near, far);
  assert.equal(far.transport!.peer.address, '127.0.0.1');
  assert.equal(far.transport!.peer.certificate, null);
  near.transport.end();
  await Promise.all([near.until(() => near.closes > 0), far.until(() => far.closes > 0)]);
  near.transport.destroy();
  far.transport!.write(Buffer.from('into the void'));
  assert.deepEqual([near.closes, far.closes, near.error, far.error], [1, 1, undefined, undefined]);
  assert.equal(door.listener.statistics.accepted, 1);
}

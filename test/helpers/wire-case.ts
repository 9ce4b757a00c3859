import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PacketType, type Packet, type ProtocolVersion } from '#mqtt';
import { connectPacket, type ConnectFields } from './broker-harness.ts';
import { overTcp, wire, WireClient, type WireTransport } from './wire-client.ts';
import { overWebSocket } from './wire-websocket.ts';
import { WireServer, type WireServerOptions } from './wire-server.ts';

/** Each write goes out as two, cut in the middle of whatever it is: messages of a WebSocket are no packets. */
function cutInTwo(transport: WireTransport): WireTransport {
  return {
    ...transport,
    open: async (port, events) => {
      const link = await transport.open(port, events);
      const write = (bytes: Buffer): void => {
        link.write(bytes.subarray(0, bytes.length >> 1));
        link.write(bytes.subarray(bytes.length >> 1));
      };
      return { ...link, write };
    },
  };
}

/** Every transport that a table runs over. */
const wireTransports: readonly WireTransport[] = [overTcp, cutInTwo(overWebSocket)];

/** One row of a conformance table: what is sent, what comes back, and the ids of the statements that it shows. */
export interface WireCase extends WireServerOptions {
  /** Begins with the ids: `[MQTT-3.1.0-1] …`. */
  readonly name: string;
  readonly steps: readonly Step[];
}

/** One thing that happens in a case. */
export type Step = (run: WireRun) => void | Promise<void>;

/** Something to look for in a packet: only the fields that are named are compared. */
export type Expected = Packet | ({ readonly type: PacketType } & Readonly<Record<string, unknown>>);

/** A case that runs: its server and its clients by name. */
export class WireRun {
  readonly server: WireServer;
  readonly transport: WireTransport;
  readonly #clients = new Map<string, WireClient>();
  #opened = 0;
  #ended = 0;

  constructor(server: WireServer, transport: WireTransport) {
    this.server = server;
    this.transport = transport;
  }

  async open(name: string, version: ProtocolVersion): Promise<WireClient> {
    const client = await new WireClient(version).open(this.transport, this.server.port);
    this.#clients.set(name, client);
    this.#opened++;
    return client;
  }

  client(name: string): WireClient {
    const client = this.#clients.get(name);
    assert.ok(client !== undefined, `no client ${name}`);
    return client;
  }

  /** The client's connection is over, or is ended now; waits until the broker has noticed. */
  async end(name: string): Promise<void> {
    this.client(name).destroy();
    this.#ended++;
    await this.server.untilOpen(this.#opened - this.#ended);
  }

  destroyAll(): void {
    for (const client of this.#clients.values()) client.destroy();
  }
}

/** Runs a table over every transport, each case on a broker of its own: no case can stand in another's way. */
export function wireCases(version: ProtocolVersion, cases: readonly WireCase[]): void {
  for (const transport of wireTransports) {
    for (const one of cases) {
      test(`${one.name}, over ${transport.name}`, { timeout: 20_000 }, async ({ signal }) => {
        await using server = await new WireServer(transport, one).start();
        const run = new WireRun(server, transport);
        signal.addEventListener('abort', () => run.destroyAll()); // so that nothing waits on after the time is up
        currentVersion.set(run, version);
        try {
          for (const [index, step] of one.steps.entries()) {
            try {
              await step(run);
            } catch (error) {
              if (error instanceof Error) error.message = `step ${index + 1}: ${error.message}`;
              throw error;
            }
          }
        } finally {
          run.destroyAll();
        }
      });
    }
  }
}

const currentVersion = new WeakMap<WireRun, ProtocolVersion>();

/** Opens a connection and says nothing on it. */
export const open =
  (name: string): Step =>
  async (run) =>
    void (await run.open(name, currentVersion.get(run) ?? 5));

/** Opens a connection, sends CONNECT and nothing more: for an answer other than success. */
export const tryConnect =
  (name: string, options: ConnectFields = {}): Step =>
  async (run) => {
    const version = options.version ?? currentVersion.get(run) ?? 5;
    const client = await run.open(name, version);
    client.send(connectPacket(name, version, options));
  };

/** Opens a connection and signs in. `expected`: what CONNACK must say beside success. */
export const connect =
  (name: string, options: ConnectFields = {}, expected: Readonly<Record<string, unknown>> = {}): Step =>
  async (run) => {
    await tryConnect(name, options)(run);
    match((await run.client(name).receive()).packet, {
      type: PacketType.Connack,
      reasonCode: 0,
      ...expected,
    });
  };

/** Sends packets as one piece. */
export const send =
  (name: string, ...packets: readonly Packet[]): Step =>
  (run) =>
    run.client(name).send(...packets);

/** Sends bytes as one piece; see `wire` for how they are written. */
export const sendHex =
  (name: string, text: string): Step =>
  (run) =>
    run.client(name).write(wire(text));

/** The next packets, in order. */
export const expect =
  (name: string, ...expected: readonly Expected[]): Step =>
  async (run) => {
    for (const one of expected) match((await run.client(name).receive()).packet, one);
  };

/** The next packet, byte by byte. */
export const expectHex =
  (name: string, text: string): Step =>
  async (run) => {
    const { frame } = await run.client(name).receive();
    assert.equal(frame.toString('hex'), wire(text).toString('hex'));
  };

/** These packets in any order. */
export const expectInAnyOrder =
  (name: string, ...expected: readonly Expected[]): Step =>
  async (run) => {
    const left = [...expected];
    while (left.length > 0) {
      const { packet } = await run.client(name).receive();
      const at = left.findIndex((one) => matches(packet, one));
      assert.ok(at >= 0, `not expected: ${JSON.stringify(packet)}`);
      left.splice(at, 1);
    }
  };

/** Nothing has come: the answer to a PINGREQ that is sent now is next. Also: all that was sent has been handled. */
export const silent =
  (...names: readonly string[]): Step =>
  async (run) => {
    for (const name of names) {
      run.client(name).send({ type: PacketType.Pingreq });
      match((await run.client(name).receive()).packet, { type: PacketType.Pingresp });
    }
  };

/** The broker closes the connection without a packet. */
export const closed =
  (name: string): Step =>
  async (run) => {
    await run.client(name).expectClosed();
    await run.end(name);
  };

/** The broker says DISCONNECT with this reason and closes. */
export const disconnected =
  (name: string, reasonCode: number, properties: Readonly<Record<string, unknown>> = {}): Step =>
  async (run) => {
    match((await run.client(name).receive()).packet, { type: PacketType.Disconnect, reasonCode, properties });
    await closed(name)(run);
  };

/** The client's connection breaks. */
export const drop =
  (name: string): Step =>
  async (run) =>
    run.end(name);

/** The client says DISCONNECT; the broker closes. */
export const leave =
  (name: string, reasonCode = 0, properties: Readonly<Record<string, unknown>> = {}): Step =>
  async (run) => {
    run.client(name).send({ type: PacketType.Disconnect, reasonCode, properties });
    await closed(name)(run);
  };

/** The broker's time goes on; what falls due is done. */
export const advance =
  (milliseconds: number): Step =>
  (run) =>
    run.server.clock.advance(milliseconds);

/** Anything else. */
export const check =
  (action: (run: WireRun) => void | Promise<void>): Step =>
  (run) =>
    action(run);

function matches(packet: Packet, expected: Expected): boolean {
  try {
    match(packet, expected);
    return true;
  } catch {
    return false;
  }
}

/** Compares the fields that `expected` names; inside `properties` likewise, where `undefined` means: must not be there. */
export function match(packet: Packet, expected: Expected): void {
  const shown = JSON.stringify(packet);
  for (const [name, value] of Object.entries(expected)) {
    const actual = (packet as unknown as Record<string, unknown>)[name];
    if (name === 'properties') {
      const properties = (actual ?? {}) as Record<string, unknown>;
      for (const [key, wanted] of Object.entries(value as Record<string, unknown>)) {
        const isUnordered = key === 'subscriptionIdentifiers';
        assert.deepEqual(
          plain(properties[key], isUnordered),
          plain(wanted, isUnordered),
          `${key} of ${shown}`,
        );
      }
    } else assert.deepEqual(plain(actual), plain(value), `${name} of ${shown}`);
  }
}

/** Bytes as text, and an empty list as nothing. */
function plain(value: unknown, isUnordered = false): unknown {
  if (Buffer.isBuffer(value)) return value.toString('latin1');
  if (!Array.isArray(value)) return value;
  if (value.length === 0) return undefined;
  // The order of subscription identifiers means nothing [MQTT-3.3.4-4].
  return value.every((one) => typeof one === 'number') && isUnordered
    ? value.toSorted((a, b) => a - b)
    : value;
}

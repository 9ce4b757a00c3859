/**
 * A bridge's link cut at each single step of the QoS 2 handshake, before and behind the packet, in both directions: every
 * message crosses once.
 */
import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, it } from 'node:test';
import { SystemClock, silentLogger } from '#base';
import { Client } from '#client';
import { createDialer } from '#listeners';
import { PacketType } from '#mqtt';
import { eventually, freePort, temporaryFolder } from '../helpers/demo-process.ts';
import { LinkProxy, type Direction } from './link-proxy.ts';
import { cutAt, type CutPoint } from './packet-cut.ts';
import { RoleProcess } from './role-process.ts';

const clock = new SystemClock();
/** Messages in each case, and which of them the cut hits is the link's business. */
const messages = 20;

// Each waits for its links most of the time.
describe('a bridge link cut in the QoS 2 handshake', { concurrency: true }, () => {
  for (const version of [4, 5] as const) {
    for (const direction of ['out', 'in'] as const) {
      it(
        `delivers once over MQTT ${version === 4 ? '3.1.1' : '5'}, topics ${direction}`,
        { timeout: 180_000 },
        async () => {
          await using pair = await BridgedPair.start(version, direction);
          for (const point of cutPoints(direction)) await pair.crossOnce(point);
        },
      );
    }
  }
});

/** `up` is from the bridge to the other broker: messages go up where topics go out. */
function cutPoints(direction: 'out' | 'in'): readonly CutPoint[] {
  const [forth, back]: readonly Direction[] = direction === 'out' ? ['up', 'down'] : ['down', 'up'];
  const steps = [
    { type: PacketType.Publish, direction: forth ?? 'up' },
    { type: PacketType.Pubrec, direction: back ?? 'down' },
    { type: PacketType.Pubrel, direction: forth ?? 'up' },
    { type: PacketType.Pubcomp, direction: back ?? 'down' },
  ];
  return steps.flatMap(({ type, direction: towards }) => [
    { type, direction: towards, side: 'before' as const },
    { type, direction: towards, side: 'behind' as const },
  ]);
}

/** Two brokers with one bridge between them, in plain TCP, so that its packets can be looked at. */
class BridgedPair implements AsyncDisposable {
  readonly #folder: string;
  readonly #roles: readonly RoleProcess[];
  readonly #link: LinkProxy;
  readonly #sender: Client;
  readonly #receiver: Client;
  readonly #got = new Map<string, number>();
  #case = 0;

  private constructor(
    folder: string,
    roles: readonly RoleProcess[],
    link: LinkProxy,
    sender: Client,
    receiver: Client,
  ) {
    this.#folder = folder;
    this.#roles = roles;
    this.#link = link;
    this.#sender = sender;
    this.#receiver = receiver;
    receiver.onMessage = ({ payload }) => {
      const text = payload.toString();
      this.#got.set(text, (this.#got.get(text) ?? 0) + 1);
    };
  }

  static async start(version: 4 | 5, direction: 'out' | 'in'): Promise<BridgedPair> {
    const folder = await temporaryFolder();
    const [nearPort, farPort] = [await freePort(), await freePort()];
    const link = new LinkProxy('link', () => farPort);
    await link.start();
    const listener = (port: number): string =>
      `[persistence]\nfolder = "journal-${port}"\n[[listener]]\nname = "all"\nprotocol = "tcp"\naddress = "127.0.0.1"\nport = ${port}\nallow_anonymous = true\n`;
    await writeFile(path.join(folder, 'far.toml'), `role = "relay"\nname = "far"\n${listener(farPort)}`);
    const bridge = `[[bridge]]\nname = "far"\nhost = "127.0.0.1"\nport = ${link.port}\nclient_id = "near"\nprotocol_version = ${version}\nretry_maximum = "1s"\n\n[[bridge.topic]]\nfilter = "#"\ndirection = "${direction}"\nqos = 2\n`;
    await writeFile(
      path.join(folder, 'near.toml'),
      `role = "relay"\nname = "near"\n${listener(nearPort)}\n${bridge}`,
    );
    const far = new RoleProcess('far', ['relay', '-c', path.join(folder, 'far.toml')]);
    const near = new RoleProcess('near', ['relay', '-c', path.join(folder, 'near.toml')]);
    const [from, to] = direction === 'out' ? [nearPort, farPort] : [farPort, nearPort];
    const pair = new BridgedPair(folder, [far, near], link, client('sender', from), client('receiver', to));
    try {
      await pair.#connect();
    } catch (error) {
      await pair[Symbol.asyncDispose]();
      throw error;
    }
    return pair;
  }

  /** Publishes while the link is cut at the point, and waits until everything has come. */
  async crossOnce(point: CutPoint): Promise<void> {
    const name = `${this.#case++}`;
    let cuts = 0;
    this.#link.watch(cutAt(point, () => cuts++));
    const sent = Array.from({ length: messages }, (_, index) => `${name}/${index}`);
    const answers = sent.map((text) => this.#sender.publish('exactly/once', text, { qos: 2 }));
    await Promise.all(answers);
    const where = `${point.side} packet type ${point.type} ${point.direction}`;
    await eventually(`all messages, link cut ${where}`, () =>
      sent.every((text) => this.#got.has(text)) ? true : undefined,
    );
    // A message is with its receiver before the last packets of its handshake pass.
    await eventually(`the cut ${where}`, () => (cuts === 1 ? true : undefined));
    // What would come twice comes before this: order is kept.
    const last = `${name}/last`;
    await this.#sender.publish('exactly/once', last, { qos: 2 });
    await eventually('the message behind them', () => (this.#got.has(last) ? true : undefined));
    const twice = sent.filter((text) => this.#got.get(text) !== 1);
    assert.deepEqual(twice, [], `delivered once, link cut ${where}`);
    this.#link.watch(null);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sender.close();
    await this.#receiver.close();
    for (const role of this.#roles) await role[Symbol.asyncDispose]();
    await this.#link[Symbol.asyncDispose]();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #connect(): Promise<void> {
    for (const role of this.#roles) await role.start();
    await this.#receiver.connect();
    await this.#receiver.subscribe([{ filter: 'exactly/#', qos: 2 }]);
    await this.#sender.connect();
    // The bridge carries once this arrives.
    await eventually('the bridge', async () => {
      await this.#sender.publish('exactly/start', 'start', { qos: 1 });
      return this.#got.has('start') ? true : undefined;
    });
  }
}

function client(clientId: string, port: number): Client {
  return new Client({
    dialer: createDialer({ host: '127.0.0.1', port, tls: null, clock }),
    clock,
    log: silentLogger,
    clientId,
    version: 5,
    cleanStart: true,
    keepAliveSeconds: 10,
    reconnect: false,
  });
}

/** Debian's mosquitto as the other end of a bridge: its own bridge to our broker, and ours to it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SystemClock, silentLogger } from '#base';
import { Bridge } from '#bridges';
import { Client } from '#client';
import { createDialer, createMemoryDialer } from '#listeners';
import { bridgeConfig, bridgeTopic } from '../helpers/bridge-config.ts';
import { ClientBroker } from './client-broker.ts';
import { CuttableLine, MosquittoBroker, skipWithoutMosquitto as skip } from './mosquitto-broker.ts';

let serial = 0;

/** A client on one side, with all that came. */
class Watcher {
  readonly client: Client;
  readonly texts: string[] = [];
  readonly retained: string[] = [];
  #wake: () => void = () => {};

  static async on(port: number, ...filters: string[]): Promise<Watcher> {
    const client = new Client({
      dialer: createDialer({ host: '127.0.0.1', port, tls: null }),
      clock,
      log: silentLogger,
      clientId: `watcher-${++serial}`,
      version: 5,
      cleanStart: true,
      keepAliveSeconds: 0,
      reconnect: false,
    });
    const watcher = new Watcher(client);
    await client.connect();
    await client.subscribe(filters.map((filter) => ({ filter, qos: 2 as const, retainAsPublished: true })));
    return watcher;
  }

  private constructor(client: Client) {
    this.client = client;
    client.onMessage = ({ topic, payload, retain }) => {
      const text = `${topic}=${payload.toString()}`;
      this.texts.push(text);
      if (retain) this.retained.push(text);
      this.#wake();
    };
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** What came on this topic, in order: what is missing, comes twice or out of order shows. */
  on(topic: string): string[] {
    return this.texts.filter((text) => text.startsWith(`${topic}=`));
  }

  async publish(topic: string, payload: string, qos: 0 | 1 | 2 = 2, retain = false): Promise<void> {
    const { reasonCode } = await this.client.publish(topic, payload, { qos, retain });
    assert.ok(reasonCode < 0x80, `${topic} is refused with ${reasonCode}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.close();
  }
}

/** Sends probes until the bridge carries this topic. */
async function untilCarried(from: Watcher, topic: string, to: Watcher, arrival: string): Promise<void> {
  let round = 0;
  while (!to.texts.some((text) => text.startsWith(`${arrival}=probe`))) {
    await from.publish(topic, `probe ${round++}`, 1);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  await from.publish(topic, 'probe last', 1);
  await to.until(() => to.texts.includes(`${arrival}=probe last`));
}

const clock = new SystemClock();
const count = 400;

const numbered = (topic: string): string[] => Array.from({ length: count }, (_, n) => `${topic}=${n}`);

/**
 * `isKnown`: it can say that it is a bridge, or what 3.1.1 says thereby. `keepsSession`: what is under way survives a
 * cut. With MQTT 5 Mosquitto 2.0 asks for a session that ends with its connection (no session expiry).
 */
const kinds = [
  {
    name: '3.1.1 as a bridge',
    lines: 'bridge_protocol_version mqttv311\ntry_private true\n',
    isKnown: true,
    keepsSession: true,
  },
  {
    name: '3.1.1 as a plain client',
    lines: 'bridge_protocol_version mqttv311\ntry_private false\n',
    isKnown: false,
    keepsSession: true,
  },
  { name: '5', lines: 'bridge_protocol_version mqttv50\n', isKnown: true, keepsSession: false },
] as const;

const topics = 'topic up/# out 2\ntopic down/# in 2\ntopic mapped/# both 2 near/ far/\n';

function bridgeLines(port: number): string {
  return `connection up\naddress 127.0.0.1:${port}\nclientid mosquitto-bridge\ncleansession false\nrestart_timeout 1\n`;
}

describe("Mosquitto's bridge to our broker", { skip, concurrency: 3 }, () => {
  for (const { name, lines, isKnown, keepsSession } of kinds) {
    it(`carries QoS 2 both ways${keepsSession ? ' over a cut' : ''}, each message once and in order: ${name}`, async () => {
      await using ours = await ClientBroker.start();
      await using line = await CuttableLine.to(ours.port('tcp'));
      await using theirs = await MosquittoBroker.start(`${bridgeLines(line.port)}${lines}${topics}`);
      await using near = await Watcher.on(theirs.port, 'down/#');
      await using far = await Watcher.on(ours.port('tcp'), 'up/#');
      await untilCarried(near, 'up/probe', far, 'up/probe');
      await untilCarried(far, 'down/probe', near, 'down/probe');
      const sent: Promise<void>[] = [];
      for (let n = 0; n < count; n++)
        sent.push(near.publish('up/x', String(n)), far.publish('down/x', String(n)));
      if (keepsSession) {
        await far.until(() => far.on('up/x').length >= 60);
        line.cut();
      }
      await Promise.all(sent);
      await far.until(() => far.on('up/x').length >= count);
      await near.until(() => near.on('down/x').length >= count);
      await near.publish('up/end', 'end');
      await far.publish('down/end', 'end');
      await far.until(() => far.on('up/end').length > 0);
      await near.until(() => near.on('down/end').length > 0);
      assert.deepEqual(far.on('up/x'), numbered('up/x'));
      assert.deepEqual(near.on('down/x'), numbered('down/x'));
      if (keepsSession) return;
      line.cut();
      await untilCarried(near, 'up/again', far, 'up/again');
      await untilCarried(far, 'down/again', near, 'down/again');
    });

    it(`maps topics both ways, and tells of itself as it tells another Mosquitto: ${name}`, async () => {
      await using ours = await ClientBroker.start();
      await using far = await Watcher.on(ours.port('tcp'), 'far/mapped/#', '$SYS/broker/connection/#');
      await using theirs = await MosquittoBroker.start(`${bridgeLines(ours.port('tcp'))}${lines}${topics}`);
      await using near = await Watcher.on(theirs.port, 'near/mapped/#');
      await untilCarried(near, 'near/mapped/probe', far, 'far/mapped/probe');
      await untilCarried(far, 'far/mapped/back', near, 'near/mapped/back');
      await near.publish('near/mapped/a', '1', 1, true);
      await far.until(() => far.on('far/mapped/a').length > 0);
      await far.publish('far/mapped/b', '2', 1, true);
      await near.until(() => near.on('near/mapped/b').length > 0);
      // Behind whatever would come back.
      await far.publish('far/mapped/end', 'end', 1);
      await near.until(() => near.on('near/mapped/end').length > 0);
      await near.publish('near/mapped/end2', 'end', 1);
      await far.until(() => far.on('far/mapped/end2').length > 0);
      assert.deepEqual(far.on('far/mapped/a'), ['far/mapped/a=1']);
      assert.deepEqual(far.on('far/mapped/b'), ['far/mapped/b=2']);
      assert.deepEqual(near.on('near/mapped/b'), ['near/mapped/b=2']);
      // A client that does not say that it is a bridge gets its own messages back: 3.1.1 has no other way.
      assert.equal(near.on('near/mapped/a').length, isKnown ? 1 : 2);
      assert.equal(near.retained.includes('near/mapped/b=2'), isKnown);
      const state = '$SYS/broker/connection/mosquitto-bridge/state';
      await far.until(() => far.texts.includes(`${state}=1`));
      await theirs[Symbol.asyncDispose]();
      await far.until(() => far.on(state).at(-1) === `${state}=0`);
    });
  }
});

describe("Mosquitto's bridge with a certificate", { skip }, () => {
  it('comes in over TLS and is known by it', async () => {
    await using ours = await ClientBroker.start();
    const files = await ours.authority.issue('mosquitto-north');
    const lines = [
      'connection up',
      `address localhost:${ours.port('mutual')}`,
      `bridge_cafile ${files.caFile}`,
      `bridge_certfile ${files.certificateFile}`,
      `bridge_keyfile ${files.keyFile}`,
      'topic secure/# both 1',
      '',
    ];
    await using theirs = await MosquittoBroker.start(lines.join('\n'));
    await using near = await Watcher.on(theirs.port, 'secure/#');
    await using far = await Watcher.on(ours.port('tcp'), 'secure/#');
    await untilCarried(near, 'secure/up', far, 'secure/up');
    await untilCarried(far, 'secure/down', near, 'secure/down');
    assert.ok(ours.lines.some((line) => /client \S+ connected .*listener=mutual/.test(line)));
  });
});

describe('our bridge to Mosquitto', { skip }, () => {
  for (const protocolVersion of [4, 5] as const) {
    it(`carries one topic both ways over cuts without an echo, version ${protocolVersion}`, async () => {
      await using ours = await ClientBroker.start();
      await using theirs = await MosquittoBroker.start('max_queued_messages 10000\n');
      await using line = await CuttableLine.to(theirs.port);
      const bridge = new Bridge({
        config: bridgeConfig({
          name: 'both',
          protocolVersion,
          clientId: 'davylamp-both',
          keepAliveSeconds: 30,
          retryMinimumMs: 5,
          retryMaximumMs: 50,
          topics: [bridgeTopic('both', 2, 'both/#')],
        }),
        brokerName: 'clients',
        localDialer: createMemoryDialer((transport) => ours.acceptInside(transport)),
        remoteDialer: createDialer({ host: '127.0.0.1', port: line.port, tls: null }),
        clock,
        log: silentLogger,
      });
      await using near = await Watcher.on(ours.port('tcp'), 'both/#');
      await using far = await Watcher.on(theirs.port, 'both/#');
      bridge.start();
      await untilCarried(near, 'both/probe', far, 'both/probe');
      await untilCarried(far, 'both/back', near, 'both/back');
      const sent: Promise<void>[] = [];
      for (let n = 0; n < count; n++)
        sent.push(near.publish('both/up', String(n)), far.publish('both/down', String(n)));
      for (const mark of [20, 120]) {
        await far.until(() => far.on('both/up').length >= mark);
        line.cut();
      }
      await Promise.all(sent);
      await far.until(() => far.on('both/up').length >= count);
      await near.until(() => near.on('both/down').length >= count);
      await near.publish('both/end', 'near');
      await far.publish('both/end', 'far');
      for (const watcher of [near, far]) await watcher.until(() => watcher.on('both/end').length >= 2);
      for (const watcher of [near, far]) {
        assert.deepEqual(watcher.on('both/up'), numbered('both/up'));
        assert.deepEqual(watcher.on('both/down'), numbered('both/down'));
        assert.equal(watcher.on('both/end').length, 2);
      }
      await bridge.close();
    });
  }
});

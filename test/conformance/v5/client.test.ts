/** MQTT 5: what binds clients, shown by our own client (the bridge is made of its parts) against a scripted broker. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock, silentLogger } from '#base';
import { Client, type ClientOptions, type ReceivedMessage } from '#client';
import { createDialer } from '#listeners';
import { PacketType, type ConnackProperties, type Packet } from '#mqtt';
import { match, type Expected } from '../../helpers/wire-case.ts';
import { WireBroker } from '../../helpers/wire-broker.ts';
import { WireClient } from '../../helpers/wire-client.ts';
import { puback, pubcomp, publish, publishOf, pubrec, pubrel, suback } from '../../helpers/wire-packets.ts';

/** A client under test, its broker and the connection between them. */
class Scene {
  readonly clock = new FakeClock();
  readonly broker: WireBroker;
  readonly client: Client;
  readonly messages: ReceivedMessage[] = [];
  /** The broker's end of the connection; until there is one, of none. */
  peer = new WireClient(5);

  constructor(broker: WireBroker, options: Partial<ClientOptions>) {
    this.broker = broker;
    this.client = new Client({
      dialer: createDialer({ host: '127.0.0.1', port: broker.port, tls: null }),
      clock: this.clock,
      log: silentLogger,
      clientId: 'a',
      version: 5,
      cleanStart: true,
      keepAliveSeconds: 0,
      reconnect: false,
      ...options,
    });
    this.client.onMessage = (message) => void this.messages.push(message.keep());
  }

  static async begin(options: Partial<ClientOptions> = {}): Promise<Scene> {
    return new Scene(await new WireBroker().start(), options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.peer.destroy();
    await this.client.close();
    this.broker[Symbol.dispose]();
  }

  /** The next packets of the client. */
  async expect(...expected: readonly Expected[]): Promise<void> {
    for (const one of expected) match((await this.peer.receive()).packet, one);
  }

  /** What it sends next is this PUBLISH, so it has sent nothing else before. */
  async expectSentinel(): Promise<void> {
    await this.client.publish('sentinel', '');
    await this.expect(publishOf('sentinel', ''));
  }
}

type Play = (scene: Scene) => Promise<void>;

interface Setting {
  readonly options?: Partial<ClientOptions>;
  readonly connack?: ConnackProperties;
  readonly sessionPresent?: boolean;
}

/** A test with a client that is connected. */
function clientTest(name: string, setting: Setting, play: Play): void {
  test(name, { timeout: 20_000 }, async ({ signal }) => {
    await using scene = await Scene.begin(setting.options);
    signal.addEventListener('abort', () => scene.peer.destroy());
    await accept(scene, setting.connack, setting.sessionPresent);
    await play(scene);
  });
}

/** Lets the client sign in on a new connection. */
async function accept(
  scene: Scene,
  properties: ConnackProperties = {},
  sessionPresent = false,
): Promise<void> {
  const connected = scene.client.state === 'closed' ? scene.client.connect() : Promise.resolve();
  scene.peer = await scene.broker.accept();
  await scene.expect({ type: PacketType.Connect });
  scene.peer.send({ type: PacketType.Connack, sessionPresent, reasonCode: 0, properties });
  await connected;
}

clientTest(
  '[MQTT-2.2.1-3] [MQTT-4.3.2-1] [MQTT-4.3.3-1] each request has an identifier that is neither 0 nor in use',
  {},
  async (scene) => {
    const { client } = scene;
    const requests = [
      client.subscribe([{ filter: 't', qos: 0 }]),
      client.publish('t', '1', { qos: 1 }),
      client.publish('t', '2', { qos: 2 }),
      client.unsubscribe(['u']),
    ];
    const used = new Set<number>();
    const received: Packet[] = [];
    for (const _ of requests) {
      const { packet } = await scene.peer.receive();
      assert.ok('packetId' in packet && packet.packetId > 0);
      assert.ok(!used.has(packet.packetId), 'an identifier is used twice');
      used.add(packet.packetId);
      received.push(packet);
    }
    const settled = Promise.allSettled(requests);
    scene.peer.destroy();
    await settled;
    assert.equal(used.size, 4);
    assert.equal(received.length, 4);
  },
);

clientTest(
  '[MQTT-3.1.2-20] a client that has nothing to say pings within its keep-alive',
  { options: { keepAliveSeconds: 10 } },
  async (scene) => {
    scene.clock.advance(6000);
    await scene.expect({ type: PacketType.Pingreq });
  },
);

clientTest(
  '[MQTT-3.1.2-21] [MQTT-3.2.2-21] the broker’s keep-alive counts, not our own',
  { options: { keepAliveSeconds: 1000 }, connack: { serverKeepAlive: 10 } },
  async (scene) => {
    scene.clock.advance(6000);
    await scene.expect({ type: PacketType.Pingreq });
  },
);

clientTest(
  '[MQTT-3.1.2-21] [MQTT-3.2.2-21] the broker may ask for a keep-alive where we wanted none',
  { options: { keepAliveSeconds: 0 }, connack: { serverKeepAlive: 10 } },
  async (scene) => {
    scene.clock.advance(6000);
    await scene.expect({ type: PacketType.Pingreq });
  },
);

test(
  '[MQTT-3.2.2-4] a clean start that finds a session ends the connection',
  { timeout: 20_000 },
  async () => {
    await using scene = await Scene.begin();
    const connected = scene.client.connect();
    scene.peer = await scene.broker.accept();
    await scene.expect({ type: PacketType.Connect, cleanStart: true });
    scene.peer.send({ type: PacketType.Connack, sessionPresent: true, reasonCode: 0, properties: {} });
    await assert.rejects(connected, /broke the protocol/);
    await scene.peer.expectClosed();
  },
);

clientTest(
  '[MQTT-3.2.2-5] when the broker has lost the session, so have we: a QoS 2 message of it is no repeat, and what is in flight is sent as new',
  { options: { reconnect: { minimumMs: 1, maximumMs: 1 }, sessionExpirySeconds: 100 } },
  async (scene) => {
    scene.peer.send(publish('t', 'old', { qos: 2, packetId: 1 }));
    await scene.expect(pubrec(1));
    const published = scene.client.publish('t', 'mine', { qos: 1 });
    await scene.expect(publishOf('t', 'mine', { qos: 1, dup: false }));
    scene.peer.destroy();
    await waiting(scene);
    scene.clock.advance(10);
    await accept(scene, {}, false);
    await scene.expect(publishOf('t', 'mine', { qos: 1, dup: false }));
    scene.peer.send(publish('t', 'new', { qos: 2, packetId: 1, dup: true }));
    await scene.expect(pubrec(1));
    assert.deepEqual(
      scene.messages.map((message) => message.payload.toString()),
      ['old', 'new'],
    );
    scene.peer.send(puback(1));
    await published;
  },
);

clientTest(
  '[MQTT-3.2.2-11] above the broker’s maximum QoS nothing is sent',
  { connack: { maximumQos: 0 } },
  async (scene) => {
    assert.deepEqual(await scene.client.publish('t', 'x', { qos: 1 }), { reasonCode: 0x9b });
    assert.deepEqual(await scene.client.publish('t', 'x', { qos: 2 }), { reasonCode: 0x9b });
    await scene.expectSentinel();
  },
);

clientTest(
  '[MQTT-3.2.2-14] where retain is not available nothing is sent with it',
  { connack: { retainAvailable: false } },
  async (scene) => {
    assert.deepEqual(await scene.client.publish('t', 'x', { retain: true }), { reasonCode: 0x9a });
    assert.deepEqual(await scene.client.publish('t', 'x', { retain: true, qos: 1 }), { reasonCode: 0x9a });
    await scene.expectSentinel();
  },
);

clientTest(
  '[MQTT-3.2.2-15] no packet exceeds the broker’s maximum',
  { connack: { maximumPacketSize: 30 } },
  async (scene) => {
    assert.deepEqual(await scene.client.publish('t', 'x'.repeat(25)), { reasonCode: 0x95 });
    assert.deepEqual(await scene.client.publish('t', 'x'.repeat(23), { qos: 1 }), { reasonCode: 0x95 });
    await scene.client.publish('t', 'x'.repeat(24));
    assert.equal((await scene.peer.receive()).frame.length, 30);
    await scene.expectSentinel();
  },
);

for (const topicAliasMaximum of [0, 10]) {
  clientTest(
    `[MQTT-3.2.2-17] [MQTT-3.2.2-18] [MQTT-3.3.2-9] our client sends no alias, where ${topicAliasMaximum} are allowed`,
    { connack: { topicAliasMaximum } },
    async (scene) => {
      for (let count = 0; count < 3; count++)
        await scene.client.publish('t', 'x', { properties: { topicAlias: 1 } });
      for (let count = 0; count < 3; count++)
        await scene.expect(publishOf('t', 'x', { properties: { topicAlias: undefined } }));
    },
  );
}

test(
  '[MQTT-3.3.2-10] our client allows no alias, so there is none to take: one that comes ends the connection',
  { timeout: 20_000 },
  async () => {
    await using scene = await Scene.begin();
    const connected = scene.client.connect();
    scene.peer = await scene.broker.accept();
    await scene.expect({ type: PacketType.Connect, properties: { topicAliasMaximum: undefined } });
    scene.peer.send({ type: PacketType.Connack, sessionPresent: false, reasonCode: 0, properties: {} });
    await connected;
    scene.peer.send(publish('t', 'x', { properties: { topicAlias: 1 } }));
    await scene.expect({ type: PacketType.Disconnect, reasonCode: 0x94 });
    await scene.peer.expectClosed();
  },
);

clientTest(
  '[MQTT-3.3.4-7] [MQTT-4.9.0-1] [MQTT-4.9.0-2] no more is unacknowledged than the broker’s receive maximum',
  { connack: { receiveMaximum: 2 } },
  async (scene) => {
    const results = ['1', '2', '3', '4'].map((text, index) =>
      scene.client.publish('t', text, { qos: index % 2 === 0 ? 1 : 2 }),
    );
    await scene.expect(publishOf('t', '1', { packetId: 1 }), publishOf('t', '2', { packetId: 2 }));
    await scene.expectSentinel();
    scene.peer.send(pubrec(2));
    await scene.expect(pubrel(2));
    await scene.expectSentinel();
    scene.peer.send(pubcomp(2));
    await scene.expect(publishOf('t', '3', { packetId: 3 }));
    scene.peer.send(puback(1, 0x80));
    await scene.expect(publishOf('t', '4', { packetId: 4 }));
    scene.peer.send(puback(3), pubrec(4, 0x97));
    assert.deepEqual(
      (await Promise.all(results)).map((result) => result.reasonCode),
      [0x80, 0, 0, 0x97],
    );
  },
);

clientTest(
  '[MQTT-3.3.4-8] [MQTT-4.9.0-3] a closed window delays nothing but PUBLISH',
  { connack: { receiveMaximum: 1 }, options: { keepAliveSeconds: 10 } },
  async (scene) => {
    const results = ['1', '2'].map((text) => scene.client.publish('t', text, { qos: 1 }));
    await scene.expect(publishOf('t', '1'));
    const subscribed = scene.client.subscribe([{ filter: 's', qos: 2 }]);
    await scene.expect({ type: PacketType.Subscribe });
    scene.peer.send(suback(2, 2), publish('s', 'x', { qos: 2, packetId: 9 }));
    assert.deepEqual(await subscribed, [2]);
    await scene.expect(pubrec(9));
    scene.peer.send(pubrel(9));
    await scene.expect(pubcomp(9));
    scene.peer.send(puback(1));
    await scene.expect(publishOf('t', '2', { packetId: 3 }));
    scene.peer.send(puback(3));
    await Promise.all(results);
  },
);

clientTest(
  '[MQTT-4.5.0-2] every message is acknowledged, whatever becomes of it',
  { options: { manualAcknowledge: false } },
  async (scene) => {
    scene.client.onMessage = () => {};
    scene.peer.send(
      publish('t', '1', { qos: 1, packetId: 1 }),
      publish('not/asked/for', '2', { qos: 2, packetId: 2 }),
    );
    await scene.expect(puback(1), pubrec(2));
    scene.peer.send(pubrel(2));
    await scene.expect(pubcomp(2));
  },
);

clientTest(
  '[MQTT-4.6.0-1] [MQTT-4.4.0-1] after a cut, what is unacknowledged is sent again in its order',
  { options: { reconnect: { minimumMs: 1, maximumMs: 1 }, sessionExpirySeconds: 100 } },
  async (scene) => {
    const results = ['1', '2', '3', '4'].map((text, index) =>
      scene.client.publish('t', text, { qos: index % 2 === 0 ? 2 : 1 }),
    );
    await scene.expect(...['1', '2', '3', '4'].map((text) => publishOf('t', text, { dup: false })));
    scene.peer.send(pubrec(3));
    await scene.expect(pubrel(3));
    scene.peer.destroy();
    await waiting(scene);
    scene.clock.advance(10);
    await accept(scene, {}, true);
    await scene.expect(
      publishOf('t', '1', { packetId: 1, dup: true }),
      publishOf('t', '2', { packetId: 2, dup: true }),
    );
    await scene.expect(pubrel(3), publishOf('t', '4', { packetId: 4, dup: true }));
    scene.peer.send(pubcomp(3), puback(2), puback(4), pubrec(1));
    await scene.expect(pubrel(1));
    scene.peer.send(pubcomp(1));
    await Promise.all(results);
  },
);

clientTest(
  '[MQTT-4.6.0-2] [MQTT-4.6.0-3] answers leave in the order of the messages, in whatever order those are dealt with',
  { options: { manualAcknowledge: true } },
  async (scene) => {
    scene.peer.send(publish('t', '1', { qos: 1, packetId: 1 }), publish('t', '2', { qos: 2, packetId: 2 }));
    scene.peer.send(publish('t', '3', { qos: 1, packetId: 3 }), publish('t', '4', { qos: 2, packetId: 4 }));
    scene.peer.send(publish('t', 'last'));
    while (scene.messages.length < 5) await new Promise((resolve) => setImmediate(resolve));
    for (const index of [3, 1, 2]) scene.messages[index]!.acknowledge();
    await scene.expectSentinel();
    scene.messages[0]!.acknowledge();
    await scene.expect(puback(1), pubrec(2), puback(3), pubrec(4));
  },
);

clientTest('[MQTT-4.6.0-4] PUBREL leaves in the order of PUBREC', {}, async (scene) => {
  const results = ['1', '2', '3'].map((text) => scene.client.publish('t', text, { qos: 2 }));
  await scene.expect(publishOf('t', '1'), publishOf('t', '2'), publishOf('t', '3'));
  scene.peer.send(pubrec(2), pubrec(3), pubrec(1));
  await scene.expect(pubrel(2), pubrel(3), pubrel(1));
  scene.peer.send(pubcomp(1), pubcomp(2), pubcomp(3));
  await Promise.all(results);
});

/** Until the client has noticed that its connection is gone. */
async function waiting(scene: Scene): Promise<void> {
  while (scene.client.state !== 'waiting') await new Promise((resolve) => setImmediate(resolve));
}

/** A foreign client, MQTT.js, against the broker: 3.1, 3.1.1 and 5 over each carrier. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import {
  connect as mqttConnect,
  connectAsync,
  Store,
  type IClientOptions,
  type IConnackPacket,
  type IPublishPacket,
  type MqttClient,
} from 'mqtt';
import { carriers, ClientBroker, user, type Carrier } from './client-broker.ts';

let broker: ClientBroker;
let ca: Buffer;
let serial = 0;
const open: MqttClient[] = [];

before(async () => {
  broker = await ClientBroker.start();
  ca = await readFile(broker.authority.caFile);
});

after(async () => {
  for (const client of open) client.end(true);
  await broker[Symbol.asyncDispose]();
});

async function connect(options: IClientOptions = {}, carrier: Carrier = 'tcp'): Promise<MqttClient> {
  const { client } = await meet(options, carrier);
  return client;
}

interface Meeting {
  readonly client: MqttClient;
  /** Has all messages, those that follow at once upon CONNACK too. */
  readonly inbox: Inbox;
  readonly connack: IConnackPacket;
}

async function meet(options: IClientOptions = {}, carrier: Carrier = 'tcp'): Promise<Meeting> {
  const version = options.protocolVersion === 3 ? { protocolId: 'MQIsdp' as const } : {};
  const client = mqttConnect(broker.url(carrier), {
    clientId: `mqttjs-${++serial}`,
    reconnectPeriod: 0,
    ca,
    ...version,
    ...options,
  });
  open.push(client);
  const inbox = new Inbox(client);
  const connack = await new Promise<IConnackPacket>((resolve, reject) => {
    client.once('connect', resolve);
    client.on('error', reject);
  });
  return { client, inbox, connack };
}

/** All messages of a client, with a wait for the n-th. */
class Inbox {
  readonly packets: IPublishPacket[] = [];
  #wake: () => void = () => {};

  constructor(client: MqttClient) {
    client.on('message', (_topic, _payload, packet) => {
      this.packets.push(packet);
      this.#wake();
    });
  }

  get texts(): string[] {
    return this.packets.map((packet) => packet.payload.toString());
  }

  async until(count: number): Promise<void> {
    while (this.packets.length < count) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

const numbers = (count: number): string[] => Array.from({ length: count }, (_, n) => String(n));

for (const carrier of carriers) {
  describe(`MQTT.js over ${carrier}`, () => {
    for (const protocolVersion of [3, 4, 5] as const) {
      for (const qos of [0, 1, 2] as const) {
        it(`carries messages at QoS ${qos} in version ${protocolVersion}, in order`, async () => {
          const topic = `${carrier}/${protocolVersion}/${qos}`;
          const subscriber = await connect({ protocolVersion }, carrier);
          const publisher = await connect({ protocolVersion }, carrier);
          const inbox = new Inbox(subscriber);
          const [granted] = await subscriber.subscribeAsync(`${carrier}/+/${qos}`, { qos });
          assert.equal(granted?.qos, qos);
          const expected = numbers(200).map((n) => `${protocolVersion}-${n}`);
          for (const text of expected) void publisher.publishAsync(topic, text, { qos });
          await inbox.until(200);
          assert.deepEqual(inbox.texts, expected);
          assert.ok(inbox.packets.every((packet) => packet.qos === qos && packet.topic === topic));
          await Promise.all([publisher.endAsync(), subscriber.endAsync()]);
        });
      }

      it(`carries a payload near the largest, version ${protocolVersion}`, async () => {
        const client = await connect({ protocolVersion }, carrier);
        const inbox = new Inbox(client);
        await client.subscribeAsync(`large/${carrier}/${protocolVersion}`, { qos: 2 });
        const payload = Buffer.alloc(1_048_000, `${carrier}${protocolVersion}`);
        await client.publishAsync(`large/${carrier}/${protocolVersion}`, payload, { qos: 2 });
        await inbox.until(1);
        assert.ok(payload.equals(inbox.packets[0]!.payload as Buffer));
        await client.endAsync();
      });
    }

    it('publishes the will when the connection is cut, and none after a DISCONNECT', async () => {
      const watcher = await connect({}, carrier);
      const inbox = new Inbox(watcher);
      await watcher.subscribeAsync(`will/${carrier}/#`, { qos: 1 });
      for (const protocolVersion of [4, 5] as const) {
        const will = {
          topic: `will/${carrier}/x`,
          payload: Buffer.from('gone'),
          qos: 1 as const,
          retain: true,
        };
        const polite = await connect({ protocolVersion, will }, carrier);
        await polite.endAsync();
        const cut = await connect({ protocolVersion, will }, carrier);
        cut.stream.destroy();
      }
      await inbox.until(2);
      await watcher.publishAsync(`will/${carrier}/end`, 'end', { qos: 1 });
      await inbox.until(3);
      assert.deepEqual(inbox.texts, ['gone', 'gone', 'end']);
      await watcher.publishAsync(`will/${carrier}/x`, '', { retain: true, qos: 1 });
      await watcher.endAsync();
    });
  });
}

describe('MQTT.js', () => {
  for (const protocolVersion of [4, 5] as const) {
    it(`gets retained messages, and none that was cleared, version ${protocolVersion}`, async () => {
      const base = `retained/${protocolVersion}`;
      const publisher = await connect({ protocolVersion });
      for (const name of ['a', 'b', 'c']) {
        await publisher.publishAsync(`${base}/${name}`, name, { qos: 1, retain: true });
      }
      await publisher.publishAsync(`${base}/b`, '', { qos: 1, retain: true });
      const watcher = await connect({ protocolVersion });
      const inbox = new Inbox(watcher);
      await watcher.subscribeAsync(`${base}/#`, { qos: 1 });
      await publisher.publishAsync(`${base}/c`, 'live', { qos: 1, retain: true });
      await inbox.until(3);
      assert.deepEqual(inbox.texts.toSorted(), ['a', 'c', 'live']);
      assert.deepEqual(
        inbox.packets.map(({ retain }) => retain),
        [true, true, false],
      );
    });

    it(`goes on with its session: nothing lost, nothing twice, version ${protocolVersion}`, async () => {
      const options = {
        protocolVersion,
        clean: false,
        clientId: `session-${protocolVersion}`,
        // What the client holds of QoS 2 has to survive as well: MQTT.js hands a message on with its PUBREL.
        incomingStore: new Store({ clean: false }),
        ...(protocolVersion === 5 ? { properties: { sessionExpiryInterval: 600 } } : {}),
      };
      const topic = `session/${protocolVersion}`;
      const first = await connect(options);
      await first.subscribeAsync(topic, { qos: 2 });
      await first.endAsync();
      const publisher = await connect({ protocolVersion });
      await Promise.all(
        numbers(50).map((text) =>
          publisher.publishAsync(topic, text, { qos: Number(text) % 2 === 0 ? 2 : 1 }),
        ),
      );
      // Cut in the middle, once it has had some of them.
      const { client: second, inbox: early, connack } = await meet(options);
      assert.ok(connack.sessionPresent);
      await early.until(1);
      second.stream.destroy();
      const { inbox: late } = await meet(options);
      await publisher.publishAsync(topic, 'last', { qos: 2 });
      while (late.texts.at(-1) !== 'last') await late.until(late.packets.length + 1);
      const fresh = [...new Set([...early.texts, ...late.texts])];
      assert.deepEqual(
        fresh.toSorted((a, b) => Number(a) - Number(b)).filter((text) => text !== 'last'),
        numbers(50),
      );
      const even = [...early.texts, ...late.texts].filter((text) => Number(text) % 2 === 0);
      assert.equal(even.length, new Set(even).size, 'no message of QoS 2 comes twice');
    });

    it(`sends QoS 2 over many cuts, each message arrives once, version ${protocolVersion}`, async () => {
      const watcher = await connect({ protocolVersion: 5 });
      const inbox = new Inbox(watcher);
      const topic = `cuts/${protocolVersion}`;
      await watcher.subscribeAsync(topic, { qos: 2 });
      const publisher = await connect({
        protocolVersion,
        clean: false,
        reconnectPeriod: 5,
        clientId: `cuts-${protocolVersion}`,
        ...(protocolVersion === 5 ? { properties: { sessionExpiryInterval: 600 } } : {}),
      });
      const answers = numbers(300).map((text) => publisher.publishAsync(topic, text, { qos: 2 }));
      for (const count of [20, 80, 160]) {
        await inbox.until(count);
        publisher.stream.destroy();
      }
      await Promise.all(answers);
      await inbox.until(300);
      await watcher.publishAsync(topic, 'end', { qos: 2 });
      await inbox.until(301);
      assert.deepEqual(
        inbox.texts
          .toSorted((a, b) => Number(a) - Number(b))
          .slice(0, 300)
          .toSorted(),
        numbers(300).toSorted(),
      );
      assert.equal(inbox.packets.length, 301, 'none came twice');
      await publisher.endAsync(true);
    });

    it(`sends 10,000 messages of QoS 2 at once, whatever window it was given, version ${protocolVersion}`, async () => {
      const client = await connect({ protocolVersion });
      const inbox = new Inbox(client);
      await client.subscribeAsync(`burst/${protocolVersion}`, { qos: 2 });
      const texts = numbers(10_000);
      await Promise.all(
        texts.map((text) => client.publishAsync(`burst/${protocolVersion}`, text, { qos: 2 })),
      );
      await inbox.until(10_000);
      assert.deepEqual(inbox.texts, texts);
      await client.endAsync();
    });

    it(`signs in with a password, and is told when it may not, version ${protocolVersion}`, async () => {
      const url = `mqtt://127.0.0.1:${broker.port('private')}`;
      const options = { protocolVersion, reconnectPeriod: 0 };
      const right = { ...options, username: user.name, password: user.password };
      await assert.rejects(connectAsync(url, { ...right, password: 'wrong' }, false), {
        code: protocolVersion === 5 ? 0x86 : 4,
      });
      const client = await connectAsync(url, right, false);
      open.push(client);
      const inbox = new Inbox(client);
      await assert.rejects(client.subscribeAsync('forbidden/x'), /Not authorized|Unspecified/i);
      await client.subscribeAsync('allowed/#', { qos: 1 });
      if (protocolVersion === 5)
        await assert.rejects(client.publishAsync('forbidden/x', 'x', { qos: 1 }), { code: 0x87 });
      else await client.publishAsync('forbidden/x', 'x', { qos: 1 });
      await client.publishAsync('allowed/x', 'y', { qos: 1 });
      await inbox.until(1);
      assert.deepEqual(inbox.texts, ['y']);
    });
  }

  it('is known by its certificate where that is asked for', async () => {
    const files = await broker.authority.issue('detector-7');
    const [cert, key] = await Promise.all([readFile(files.certificateFile!), readFile(files.keyFile!)]);
    const url = `mqtts://localhost:${broker.port('mutual')}`;
    const client = await connectAsync(url, { ca, cert, key, reconnectPeriod: 0 });
    await client.endAsync();
    await assert.rejects(connectAsync(url, { ca, reconnectPeriod: 0 }, false));
  });

  it('MQTT 5: properties arrive as they were sent, in order', async () => {
    const client = await connect({ protocolVersion: 5 });
    const inbox = new Inbox(client);
    await client.subscribeAsync('properties', { qos: 1, properties: { subscriptionIdentifier: 7 } });
    const properties = {
      payloadFormatIndicator: true,
      messageExpiryInterval: 1000,
      contentType: 'text/plain',
      responseTopic: 'answers/here',
      correlationData: Buffer.from([0, 1, 255]),
      userProperties: { colour: ['red', 'blue', 'red'], 'a b': 'ü' },
    };
    await client.publishAsync('properties', 'x', { qos: 1, properties });
    await inbox.until(1);
    const { messageExpiryInterval, ...rest } = inbox.packets[0]!.properties!;
    const { messageExpiryInterval: _sent, ...expected } = properties;
    assert.ok(messageExpiryInterval! > 900 && messageExpiryInterval! <= 1000);
    assert.deepEqual(
      { ...rest, userProperties: { ...rest.userProperties } },
      { ...expected, subscriptionIdentifier: 7 },
    );
  });

  it('MQTT 5: no local, retain as published, retain handling', async () => {
    const client = await connect({ protocolVersion: 5 });
    const other = await connect({ protocolVersion: 5 });
    await other.publishAsync('options/r', 'kept', { retain: true, qos: 1 });
    const inbox = new Inbox(client);
    await client.subscribeAsync('options/#', { qos: 1, nl: true, rap: true, rh: 2 });
    await client.publishAsync('options/x', 'own', { qos: 1 });
    await other.publishAsync('options/x', 'retained', { qos: 1, retain: true });
    await inbox.until(1);
    assert.deepEqual(
      inbox.packets.map(({ payload, retain }) => [payload.toString(), retain]),
      [['retained', true]],
    );
  });

  it('MQTT 5: topic aliases both ways', async () => {
    const client = await connect({
      protocolVersion: 5,
      autoAssignTopicAlias: true,
      properties: { topicAliasMaximum: 5 },
    });
    const inbox = new Inbox(client);
    await client.subscribeAsync('alias/#', { qos: 1 });
    const topics = numbers(100).map((n) => `alias/${Number(n) % 8}`);
    await Promise.all(topics.map((topic) => client.publishAsync(topic, topic, { qos: 1 })));
    await inbox.until(100);
    assert.deepEqual(inbox.texts, topics);
    assert.ok(inbox.packets.some((packet) => packet.properties?.topicAlias !== undefined));
  });

  it('shared subscriptions: each message to one member, and every member gets some', async () => {
    const members = [await connect({ protocolVersion: 5 }), await connect({ protocolVersion: 4 })];
    const inboxes = members.map((member) => new Inbox(member));
    for (const member of members) await member.subscribeAsync('$share/group/shared/#', { qos: 1 });
    const publisher = await connect();
    await Promise.all(numbers(100).map((n) => publisher.publishAsync(`shared/${n}`, n, { qos: 1 })));
    // Behind all others in each member's queue.
    for (const [i, member] of members.entries()) {
      await member.subscribeAsync(`own/${i}`, { qos: 1 });
      await publisher.publishAsync(`own/${i}`, 'end', { qos: 1 });
    }
    for (const inbox of inboxes) {
      while (inbox.texts.at(-1) !== 'end') await inbox.until(inbox.packets.length + 1);
      inbox.packets.pop();
    }
    const all = inboxes.flatMap((inbox) => inbox.texts);
    assert.deepEqual(all.toSorted(), numbers(100).toSorted());
    assert.ok(inboxes.every((inbox) => inbox.packets.length > 20));
  });

  it('MQTT 5: is told why it is disconnected, and its larger packet ends that connection alone', async () => {
    const client = await connect({ protocolVersion: 5, properties: { maximumPacketSize: 100_000 } });
    const told = new Promise<number | undefined>((resolve) => {
      client.on('disconnect', (packet) => resolve(packet.reasonCode));
    });
    client.publish('too/large', Buffer.alloc(1_100_000), { qos: 0 });
    assert.equal(await told, 0x95);
    const taken = await connect({ protocolVersion: 5, clientId: 'twin' });
    const takenOver = new Promise<number | undefined>((resolve) => {
      taken.on('disconnect', (packet) => resolve(packet.reasonCode));
    });
    await connect({ protocolVersion: 5, clientId: 'twin' });
    assert.equal(await takenOver, 0x8e);
  });

  it('MQTT 5: gets an id where it gives none', async () => {
    const { connack } = await meet({ protocolVersion: 5, clientId: '' });
    assert.match(connack.properties?.assignedClientIdentifier ?? '', /./);
  });

  it('unsubscribed: nothing more comes', async () => {
    const client = await connect();
    const inbox = new Inbox(client);
    await client.subscribeAsync(['gone/#', 'stays'], { qos: 1 });
    await client.unsubscribeAsync('gone/#');
    await client.publishAsync('gone/x', '1', { qos: 1 });
    await client.publishAsync('stays', '2', { qos: 1 });
    await inbox.until(1);
    assert.deepEqual(inbox.texts, ['2']);
  });
});

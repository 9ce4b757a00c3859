/** MQTT 3.1.1: what binds clients, shown by our own client and by the remote side of our bridge, byte by byte. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock, silentLogger, SystemClock, type Dialer, type Transport } from '#base';
import { Bridge } from '#bridges';
import { Client, type ClientOptions } from '#client';
import { createDialer, createMemoryDialer } from '#listeners';
import { overTcp } from '../../helpers/wire-client.ts';
import { FrameSplitter } from '../../helpers/wire-peer.ts';
import { matchesWire, wireBytes, type Names } from '../../helpers/wire-notation.ts';
import { WireServer } from '../../helpers/wire-server.ts';
import { SessionBroker } from '../../helpers/session-broker.ts';

/** A broker that says only what it is told, and keeps the packets that come, connection after connection. */
class RawBroker {
  readonly dialer: Dialer;
  /** Packets that came and were not looked at yet. */
  readonly frames: Buffer[] = [];
  isClosed = true;
  readonly #names: Names = new Map();
  #transport: Transport | null = null;

  constructor() {
    this.dialer = createMemoryDialer((transport) => {
      const splitter = new FrameSplitter((frame) => void this.frames.push(Buffer.from(frame)));
      this.#transport = transport;
      this.isClosed = false;
      transport.handler = {
        onBytes: (chunk) => splitter.push(Buffer.from(chunk)),
        onDrain: () => {},
        onClose: () => {
          this.isClosed = true;
        },
      };
    });
  }

  send(notation: string): void {
    this.#transport?.write(wireBytes(notation, this.#names));
  }

  /** Breaks the connection. */
  cut(): void {
    this.#transport?.destroy();
  }

  async expect(...notations: readonly string[]): Promise<void> {
    for (const notation of notations) {
      await this.until(() => this.frames.length > 0);
      const frame = this.frames.shift()!;
      assert.ok(
        matchesWire(notation, frame, this.#names),
        `expected ${notation}; got ${frame.toString('hex')}`,
      );
    }
  }

  /** Lets the event loop turn; what is under way in memory arrives. */
  async turns(count: number): Promise<void> {
    for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
  }

  async until(condition: () => boolean): Promise<void> {
    for (let turn = 0; turn < 10_000; turn++) {
      if (condition()) return;
      await this.turns(1);
    }
    assert.fail('what was waited for did not come');
  }
}

const clock = new FakeClock();

function createClient(broker: RawBroker, change: Partial<ClientOptions> = {}): Client {
  return new Client({
    dialer: broker.dialer,
    clock,
    log: silentLogger,
    clientId: 'c',
    version: 4,
    cleanStart: false,
    keepAliveSeconds: 0,
    reconnect: { minimumMs: 100, maximumMs: 100 },
    ...change,
  });
}

/** A client that is connected. */
async function connected(broker: RawBroker, change: Partial<ClientOptions> = {}): Promise<Client> {
  const client = createClient(broker, change);
  const connecting = client.connect();
  await broker.expect('10[ ... ]');
  broker.send('20[ 00 00 ]');
  await connecting;
  return client;
}

/** Connects again after a cut. */
async function reconnected(broker: RawBroker): Promise<void> {
  broker.cut();
  await broker.until(() => broker.isClosed);
  await broker.turns(3);
  clock.advance(1000);
  await broker.until(() => !broker.isClosed);
  await broker.expect('10[ "MQTT" ... ]');
  broker.send('20[ 01 00 ]');
}

test('client: CONNECT is the first packet; what is published meanwhile follows CONNACK [MQTT-3.1.0-1] [MQTT-3.1.3-3]', async () => {
  const broker = new RawBroker();
  const client = createClient(broker);
  const connecting = client.connect();
  const published = client.publish('t', 'x', { qos: 1 });
  await broker.expect('10[ "MQTT" 04 00 0000 "c" ]');
  await broker.turns(5);
  assert.deepEqual(broker.frames, []);
  broker.send('20[ 00 00 ]');
  await broker.expect('32[ "t" $id \'x\' ]');
  broker.send('40[ $id ]');
  await Promise.all([connecting, published]);
  await client.close();
});

test('client: flags, fields and their order in CONNECT agree [MQTT-3.1.3-1] [MQTT-3.1.2-9] [MQTT-3.1.2-19] [MQTT-3.1.2-21]', async () => {
  const broker = new RawBroker();
  const will = {
    topic: 'w',
    payload: Buffer.from('gone'),
    qos: 1,
    retain: true,
    delay: 0,
    properties: null,
  } as const;
  const client = createClient(broker, {
    will,
    username: 'u',
    password: 'p',
    cleanStart: true,
    keepAliveSeconds: 10,
  });
  const connecting = client.connect();
  await broker.expect('10[ "MQTT" 04 ee 000a "c" "w" "gone" "u" "p" ]');
  broker.send('20[ 00 00 ]');
  await connecting;
  await client.close();
});

test('client: an empty client id without a clean session is refused here [MQTT-3.1.3-7]; so is a password alone [MQTT-3.1.2-22]', async () => {
  const broker = new RawBroker();
  await assert.rejects(createClient(broker, { clientId: '' }).connect(), { code: 'USAGE' });
  await assert.rejects(createClient(broker, { password: 'p' }).connect(), { code: 'USAGE' });
  const client = await connected(broker, { clientId: '', cleanStart: true });
  await client.close();
});

test('client: something is sent within each keep alive [MQTT-3.1.2-23]', async () => {
  const broker = new RawBroker();
  const client = await connected(broker, { keepAliveSeconds: 10 });
  for (let round = 0; round < 5; round++) {
    for (let second = 0; second < 10 && broker.frames.length === 0; second++) {
      clock.advance(1000);
      await broker.turns(3);
    }
    await broker.expect('c0 00');
    broker.send('d0 00');
    await broker.turns(3);
  }
  await client.close();
});

test('client: packets that wait for an answer have ids of their own [MQTT-2.3.1-2] [MQTT-4.3.2-1]; a repeat has the same id, DUP and its place [MQTT-2.3.1-3] [MQTT-3.3.1-1] [MQTT-4.4.0-1] [MQTT-4.6.0-1]', async () => {
  const broker = new RawBroker();
  const client = await connected(broker);
  const published = [
    client.publish('t', '1', { qos: 1 }),
    client.publish('t', '2', { qos: 2 }),
    client.publish('t', '3', { qos: 2 }),
  ];
  void client.subscribe([{ filter: 's', qos: 1 }]).catch(() => {});
  const ids = new Set<number>();
  await broker.until(() => broker.frames.length === 4);
  for (const frame of broker.frames) ids.add(frame.readUInt16BE(frame[0] === 0x82 ? 2 : 5));
  assert.equal(ids.size, 4);
  assert.ok(!ids.has(0));
  await broker.expect('32[ "t" $one \'1\' ]', '34[ "t" $two \'2\' ]', '34[ "t" $three \'3\' ]', '82[ ... ]');
  broker.send('50[ $two ]');
  await broker.expect('62[ $two ]');
  await reconnected(broker);
  const again: string[] = [];
  await broker.until(() => broker.frames.length >= 4);
  for (const frame of broker.frames.splice(0)) if (frame[0] !== 0x82) again.push(frame.toString('hex'));
  const hex = (id: number): string => id.toString(16).padStart(4, '0');
  const [one, two, three] = [...ids].map(hex);
  assert.deepEqual(again, [`3a06000174${one}31`, `6202${two}`, `3c06000174${three}33`]);
  broker.send('40[ $one ] 70[ $two ] 50[ $three ]');
  await broker.expect('62[ $three ]');
  broker.send('70[ $three ]');
  await Promise.all(published);
  await client.close();
});

test('client: every message is acknowledged, also what nobody asked for, in the order in which they came [MQTT-4.5.0-2] [MQTT-4.6.0-2] [MQTT-4.6.0-3] [MQTT-4.6.0-4]', async () => {
  const broker = new RawBroker();
  const client = await connected(broker);
  broker.send(
    '32[ "t" 0007 \'1\' ] 32[ "t" 0003 \'2\' ] 34[ "t" 0009 \'3\' ] 34[ "t" 0002 \'4\' ] 30[ "t" \'5\' ]',
  );
  await broker.expect('40[ 0007 ]', '40[ 0003 ]', '50[ 0009 ]', '50[ 0002 ]');
  broker.send('62[ 0002 ] 62[ 0009 ]');
  await broker.expect('70[ 0002 ]', '70[ 0009 ]');
  void client.publish('t', 'a', { qos: 2 }).catch(() => {});
  void client.publish('t', 'b', { qos: 2 }).catch(() => {});
  await broker.expect('34[ "t" $a \'a\' ]', '34[ "t" $b \'b\' ]');
  broker.send('50[ $b ] 50[ $a ]');
  await broker.expect('62[ $b ]', '62[ $a ]');
  await client.close();
});

test('client: behind DISCONNECT nothing is sent, and the connection is closed [MQTT-3.14.4-1] [MQTT-3.14.4-2]', async () => {
  const broker = new RawBroker();
  const client = await connected(broker);
  const closing = client.close();
  await assert.rejects(client.publish('t', 'x', { qos: 1 }), { code: 'CONNECTION_LOST' });
  broker.send('32[ "t" 0001 \'x\' ]');
  await closing;
  await broker.until(() => broker.isClosed);
  await broker.expect('e0 00');
  assert.deepEqual(broker.frames, []);
});

test('client: what breaks the protocol ends the connection [MQTT-4.8.0-1] [MQTT-1.5.3-1] [MQTT-2.2.2-2] [MQTT-3.3.1-4]', async () => {
  for (const wrong of [
    "30[ (ff) 'x' ]",
    '36[ "t" 0001 ]',
    '41[ 0001 ]',
    '20[ 00 00 ]',
    '10[ "MQTT" 04 02 0000 "x" ]',
  ]) {
    const broker = new RawBroker();
    const client = await connected(broker);
    broker.send(wrong);
    await broker.until(() => broker.isClosed);
    await client.close();
  }
});

test('client: it speaks over TCP [MQTT-7.1.2-1]', async () => {
  await using server = await new WireServer(overTcp).start();
  const keepAwake = setInterval(() => {}, 1000);
  try {
    const dialer = createDialer({ host: '127.0.0.1', port: server.port, tls: null });
    await using client = createClient(new RawBroker(), { dialer, clock: new SystemClock() });
    await client.connect();
    const received = new Promise<string>((resolve) => {
      client.onMessage = (message) => resolve(message.payload.toString());
    });
    await client.subscribe([{ filter: 't', qos: 2 }]);
    await client.publish('t', 'x', { qos: 2 });
    assert.equal(await received, 'x');
  } finally {
    clearInterval(keepAwake);
  }
});

/** A bridge at 3.1.1 towards a broker that says only what it is told. */
async function bridged(broker: RawBroker): Promise<{ bridge: Bridge; local: SessionBroker }> {
  const local = new SessionBroker();
  const bridge = new Bridge({
    config: {
      name: 'relay',
      host: 'relay.example',
      port: 1883,
      tls: null,
      protocolVersion: 4,
      clientId: 'north',
      username: null,
      passwordFile: null,
      keepAliveSeconds: 10,
      cleanStart: false,
      sessionExpirySeconds: 3600,
      retryMinimumMs: 100,
      retryMaximumMs: 100,
      topics: [{ filter: '#', direction: 'both', qos: 2, localPrefix: '', remotePrefix: '' }],
    },
    brokerName: 'north',
    localDialer: local.dialer,
    remoteDialer: broker.dialer,
    clock,
    log: silentLogger,
  });
  bridge.start();
  await broker.expect('10[ "MQTT" 84 00 000a "north" ]');
  broker.send('20[ 00 00 ]');
  await broker.expect('82[ $subscribe "#" 02 ]');
  broker.send('90[ $subscribe 02 ]');
  await broker.until(() => bridge.status.state === 'connected');
  return { bridge, local };
}

test('bridge: a server that also connects to servers conforms as a client: CONNECT first, ids, order, repeats [MQTT-7.0.0-1] [MQTT-3.1.0-1] [MQTT-2.3.1-2] [MQTT-2.3.1-3] [MQTT-4.4.0-1]', async () => {
  const broker = new RawBroker();
  const { bridge, local } = await bridged(broker);
  local.publish({ topic: 'a', payload: '1', qos: 1 });
  local.publish({ topic: 'a', payload: '2', qos: 2 });
  await broker.expect('32[ "a" $one \'1\' ]', '34[ "a" $two \'2\' ]');
  broker.send('50[ $two ]');
  await broker.expect('62[ $two ]');
  await reconnected(broker);
  const again: string[] = [];
  await broker.until(() => broker.frames.filter((frame) => frame[0] !== 0x82).length >= 2);
  for (const frame of broker.frames.splice(0)) if (frame[0] !== 0x82) again.push(frame.toString('hex'));
  assert.deepEqual(
    again.map((frame) => frame.slice(0, 2)),
    ['3a', '62'],
  );
  broker.send('40[ $one ] 70[ $two ]');
  await broker.until(() => local.unfinished === 0);
  await bridge.close();
});

test('bridge: every message is acknowledged in order; pings; nothing behind DISCONNECT [MQTT-7.0.0-1] [MQTT-4.5.0-2] [MQTT-4.6.0-2] [MQTT-4.6.0-3] [MQTT-4.6.0-4] [MQTT-3.1.2-23] [MQTT-3.14.4-1] [MQTT-3.14.4-2]', async () => {
  const broker = new RawBroker();
  const { bridge, local } = await bridged(broker);
  broker.send('32[ "b" 0007 \'1\' ] 32[ "b" 0003 \'2\' ] 34[ "b" 0009 \'3\' ] 34[ "b" 0002 \'4\' ]');
  await broker.expect('40[ 0007 ]', '40[ 0003 ]', '50[ 0009 ]', '50[ 0002 ]');
  broker.send('62[ 0002 ] 62[ 0009 ]');
  await broker.expect('70[ 0002 ]', '70[ 0009 ]');
  assert.deepEqual(local.accepted, ['b 1', 'b 2', 'b 3', 'b 4']);
  for (let second = 0; second < 10 && broker.frames.length === 0; second++) {
    clock.advance(1000);
    await broker.turns(3);
  }
  await broker.expect('c0 00');
  broker.send('d0 00');
  await broker.turns(3);
  const closing = bridge.close();
  local.publish({ topic: 'a', payload: 'late', qos: 1 });
  await closing;
  await broker.until(() => broker.isClosed);
  await broker.expect('e0 00');
  assert.deepEqual(broker.frames, []);
});

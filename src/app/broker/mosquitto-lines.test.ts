import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PacketType } from '#mqtt';
import { BrokerHarness, openAuthorizer, willOf } from '../../../test/helpers/broker-harness.ts';
import { MosquittoLines } from './mosquitto-lines.ts';

class Recorder {
  readonly lines: string[] = [];
  tellsOfConnections = true;

  line(type: string, text: string): void {
    this.lines.push(`${type}: ${text}`);
  }

  take(): string[] {
    return this.lines.splice(0);
  }
}

const address = '192.0.2.5';

function start(showsPackets = false): { harness: BrokerHarness; recorder: Recorder } {
  const recorder = new Recorder();
  const harness = new BrokerHarness({ events: new MosquittoLines(recorder, showsPackets) });
  return { harness, recorder };
}

test('the lines about a client, in the words of Mosquitto 2.1', () => {
  const { harness, recorder } = start();
  const client = harness.connect('tank-7', {
    address,
    keepAlive: 42,
    cleanStart: false,
    profile: { port: 1883 },
  });
  assert.deepEqual(recorder.take(), [
    'notice: New connection from 192.0.2.5:1 on port 1883.',
    'notice: New client connected from 192.0.2.5:1 as tank-7 (p5, c0, k42).',
    'debug: No will message specified.',
  ]);
  client.subscribe('gas/#', { qos: 1 });
  client.unsubscribe('gas/#');
  client.disconnect();
  assert.deepEqual(recorder.take(), [
    'subscribe: tank-7 1 gas/#',
    'unsubscribe: tank-7 gas/#',
    'notice: Client tank-7 [192.0.2.5:1] disconnected.',
  ]);
});

test('user, will, version 3.1.1 and a bridge', () => {
  const { harness, recorder } = start();
  const will = willOf('gone', 'four', { qos: 1, retain: true });
  harness.connect('b', {
    version: 4,
    bridge: true,
    username: 'anna',
    will,
    profile: { port: '/run/mqtt.sock' },
  });
  assert.deepEqual(recorder.take(), [
    'notice: New connection from local on socket /run/mqtt.sock.',
    "notice: New bridge connected from local:1 as b (p2, c1, k0, u'anna').",
    'debug: Will message specified (4 bytes) (r1, q1).',
    'debug: \tgone',
  ]);
});

test('how connections end', () => {
  const { harness, recorder } = start();
  const endOf = (act: (client: ReturnType<BrokerHarness['connect']>) => void): string[] => {
    const client = harness.connect('c', { address, keepAlive: 60 });
    recorder.take();
    act(client);
    return recorder.take();
  };
  const ended = (why: string): string[] => [`notice: Client c [192.0.2.5:1] disconnected: ${why}.`];
  assert.deepEqual(
    endOf((client) => client.breakOff()),
    ended('connection closed by client'),
  );
  const reset = Object.assign(new Error('read ECONNRESET'), { errno: -104 });
  assert.deepEqual(
    endOf((client) => client.transport.breakOff(reset)),
    ended('Connection reset by peer'),
  );
  assert.deepEqual(
    endOf((client) => client.raw('30 00')),
    ended('malformed packet'),
  );
  assert.deepEqual(
    endOf((client) => client.raw('20 02 00 00')),
    ended('protocol error'),
  );
  assert.deepEqual(
    endOf((client) => client.raw('30 ff ff 7f')),
    ended('oversize packet'),
  );
  assert.deepEqual(
    endOf(() => harness.advance(91_000)),
    ended('exceeded timeout'),
  );
  assert.deepEqual(
    endOf(() => void harness.connect('c', { address })),
    [
      'notice: New connection from 192.0.2.5 on socket test.',
      'error: Client c already connected, closing old connection.',
      ...ended('session taken over'),
      'notice: New client connected from 192.0.2.5:1 as c (p5, c1, k0).',
      'debug: No will message specified.',
    ],
  );
});

test('refused clients: who never said CONNECT, and who may not come in', () => {
  const { harness, recorder } = start();
  const open = harness.open({ address });
  open.raw('4f 00');
  assert.deepEqual(recorder.take().slice(1), [
    'information: Protocol error from 192.0.2.5:1: First packet not CONNECT (4F).',
    'notice: Client 192.0.2.5 [192.0.2.5:1] disconnected: protocol error.',
  ]);
  const authenticator = { authenticate: () => ({ reasonCode: 0x86, detail: 'no' }) as const };
  const refused = harness.open({ address, profile: { authenticator } });
  refused.connect('who');
  assert.deepEqual(recorder.take().slice(1), [
    'notice: Client who [192.0.2.5:1] disconnected: not authorised.',
  ]);
});

test('without connection messages only what is not about coming and going is told', () => {
  const { harness, recorder } = start();
  recorder.tellsOfConnections = false;
  const client = harness.connect('c');
  client.subscribe('t');
  client.breakOff();
  assert.deepEqual(recorder.take(), ['subscribe: c 2 t']);
});

test('parts of this program, such as bridges, are not told of as clients', () => {
  const { harness, recorder } = start();
  const inside = harness.connect('bridge', { profile: { isInside: true } });
  inside.subscribe('t');
  inside.unsubscribe('t');
  harness.connect('bridge', { profile: { isInside: true } });
  inside.breakOff();
  assert.deepEqual(recorder.take(), []);
});

test('every packet, where the debug lines are wanted', () => {
  const { harness, recorder } = start(true);
  recorder.tellsOfConnections = false;
  const denied = { ...openAuthorizer, mayPublish: (_: unknown, topic: string) => topic !== 'm/secret' };
  const client = harness.connect('c', { profile: { mountPoint: 'm/', authorizer: denied } });
  client.subscribe('t', { qos: 1 });
  client.publish('t', 'twelve bytes', { qos: 1, packetId: 5 });
  client.publish('secret', 'x', { retain: true });
  client.ack(PacketType.Puback, 1);
  client.publish('q2', '', { qos: 2, packetId: 6 });
  client.ack(PacketType.Pubrel, 6);
  client.send({ type: PacketType.Pingreq });
  client.unsubscribe('t');
  harness.broker.disconnect('c', 0x98, 'go');
  harness.settle();
  assert.deepEqual(recorder.take(), [
    'debug: Sending CONNACK to c (0, 0)',
    'debug: Received SUBSCRIBE from c',
    'debug: \tm/t (QoS 1)',
    'subscribe: c 1 m/t',
    'debug: Sending SUBACK to c',
    "debug: Received PUBLISH from c (d0, q1, r0, m5, 'm/t', ... (12 bytes))",
    "debug: Sending PUBLISH to c (d0, q1, r0, m1, 'm/t', ... (12 bytes))",
    'debug: Sending PUBACK to c (m5, rc0)',
    "debug: Denied PUBLISH from c (d0, q0, r1, m0, 'm/secret', ... (1 bytes))",
    'debug: Received PUBACK from c (Mid: 1, RC:0)',
    "debug: Received PUBLISH from c (d0, q2, r0, m6, 'm/q2', ... (0 bytes))",
    'debug: Sending PUBREC to c (m6, rc16)',
    'debug: Received PUBREL from c (Mid: 6)',
    'debug: Sending PUBCOMP to c (m6)',
    'debug: Received PINGREQ from c',
    'debug: Sending PINGRESP to c',
    'debug: Received UNSUBSCRIBE from c',
    'debug: \tm/t',
    'unsubscribe: c m/t',
    'debug: Sending UNSUBACK to c',
    'debug: Sending DISCONNECT to c (rc152)',
  ]);
  harness.broker.tracePackets(null);
  harness.connect('quiet');
  assert.deepEqual(recorder.take(), []);
});

test('a peer cannot forge a line', () => {
  const { harness, recorder } = start();
  harness.connect('a\nNew client connected', { address });
  for (const line of recorder.take()) assert.ok(!line.includes('\n'), line);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock, silentLogger } from '#base';
import { PacketType, ReasonCode } from '#mqtt';
import { ScriptedBroker, turns, until, type ScriptedConnection } from '../../test/helpers/scripted-broker.ts';
import { LegacyDetector, type LegacyDetectorOptions } from './legacy-detector.ts';

const out = 'outTopic/23.17.224.11/192.168.1.11';
const listen = 'InTopic/23.17.224.11/192.168.1.11';
const hello = `${out} IOT Gas sensor prompt, HELLO!`;

function reading(sequence: number, value: 0 | 1 = 0, prefix = ''): string {
  return `${out} ${prefix}${sequence}-Gas Sensor IP:192.168.1.11 MAC:AD:18:14:7F:CF:5C Reading value=${value}`;
}

class Setup implements AsyncDisposable {
  readonly clock = new FakeClock();
  readonly broker = new ScriptedBroker();
  readonly detector: LegacyDetector;
  pin: 0 | 1 = 0;

  constructor(options: Partial<LegacyDetectorOptions> = {}) {
    this.detector = new LegacyDetector({
      dialer: this.broker.dialer,
      clock: this.clock,
      log: silentLogger,
      username: 'north',
      password: 'secret',
      siteAddress: '23.17.224.11',
      deviceAddress: '192.168.1.11',
      mac: '5C:CF:7F:14:18:AD',
      readPin: () => this.pin,
      ...options,
    });
  }

  /** Boots, and waits for the first reading and the subscription. */
  async boot(): Promise<ScriptedConnection> {
    this.detector.start();
    await this.settled(1);
    return this.broker.last;
  }

  /** Waits until the last connection has heard so many readings and the subscription. */
  async settled(readings: number): Promise<void> {
    await until(`${readings} readings`, () => {
      const connection = this.broker.connections.at(-1);
      return (
        connection !== undefined &&
        connection.published.length >= readings + 1 &&
        connection.packets.some(({ type }) => type === PacketType.Subscribe)
      );
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.detector.close();
  }
}

test('it connects as the firmware does: 3.1.1, the shared client id, a clean session, keep-alive 15, credentials', async () => {
  await using setup = new Setup();
  const { connect } = await setup.boot();
  assert.equal(connect.version, 4);
  assert.equal(connect.clientId, 'ESP8266Client');
  assert.equal(connect.cleanStart, true);
  assert.equal(connect.keepAlive, 15);
  assert.equal(connect.username, 'north');
  assert.equal(connect.password?.toString(), 'secret');
  assert.equal(connect.will, null);
});

test('hello first, then a reading every two seconds with its own count, all at QoS 0 and not retained', async () => {
  await using setup = new Setup();
  const connection = await setup.boot();
  setup.pin = 1;
  setup.clock.advance(2000);
  setup.pin = 0;
  setup.clock.advance(2000);
  await setup.settled(3);
  assert.deepEqual(connection.published, [hello, reading(1), reading(2, 1), reading(3)]);
  assert.ok(connection.publishes.every(({ qos, retain }) => qos === 0 && !retain));
});

test('it listens on its own topic at QoS 0', async () => {
  await using setup = new Setup();
  const connection = await setup.boot();
  const subscribe = connection.packets.find((packet) => packet.type === PacketType.Subscribe);
  assert.deepEqual(
    subscribe?.subscriptions.map(({ filter, qos }) => [filter, qos]),
    [[listen, 0]],
  );
});

test('Request is answered at once behind REQUESTED-, and takes the next number', async () => {
  await using setup = new Setup();
  const connection = await setup.boot();
  connection.publish(listen, 'Request');
  await setup.settled(2);
  setup.clock.advance(2000);
  await setup.settled(3);
  assert.deepEqual(connection.published.slice(1), [reading(1), reading(2, 0, 'REQUESTED-'), reading(3)]);
  assert.equal(setup.detector.statistics.requested, 1);
});

test('Sleep sets the interval from the next reading on, fractions too', async () => {
  await using setup = new Setup();
  const connection = await setup.boot();
  connection.publish(listen, 'Sleep0.01-');
  await until('the new interval', () => setup.detector.intervalSeconds === 0.01);
  setup.clock.advance(1000);
  await setup.settled(101);
  assert.equal(connection.published.length, 1 + 1 + 100);
  connection.publish(listen, 'Sleep10-');
  await until('the new interval', () => setup.detector.intervalSeconds === 10);
  setup.clock.advance(9900);
  connection.publish(listen, 'Request');
  await setup.settled(102);
  assert.match(
    connection.published.at(-1) ?? '',
    /REQUESTED-102-/,
    'no regular reading came before the sentinel',
  );
});

test('what it does not know is ignored and counted', async () => {
  await using setup = new Setup();
  const connection = await setup.boot();
  for (const text of ['Sleep-', 'Sleep-1-', 'Sleep0-', 'reboot', '']) connection.publish(listen, text);
  connection.publish(listen, 'Request');
  await setup.settled(2);
  assert.equal(setup.detector.statistics.ignoredCommands, 5);
  assert.equal(setup.detector.intervalSeconds, 2);
  assert.deepEqual(connection.published, [hello, reading(1), reading(2, 0, 'REQUESTED-')]);
});

test('after a lost connection it tries every 5 s, says hello again and counts from the beginning', async () => {
  await using setup = new Setup();
  const first = await setup.boot();
  setup.broker.script.connect = 'unreachable';
  first.cut();
  await until('the loss to be noticed', () => !setup.detector.connected);
  for (let tries = 2; tries <= 4; tries++) {
    setup.clock.advance(4999);
    assert.equal(setup.broker.dials, tries - 1);
    setup.clock.advance(1);
    await until(`try ${tries}`, () => setup.broker.dials === tries);
    // The failure must have been noticed before the time goes on: it is what sets the next try's time.
    await turns(5);
  }
  setup.broker.script.connect = 0;
  setup.clock.advance(5000);
  await until('a second connection', () => setup.broker.connections.length === 2);
  await setup.settled(1);
  assert.deepEqual(setup.broker.last.published, [hello, reading(1)]);
  assert.equal(setup.detector.statistics.connects, 2);
});

test('firmware that only lost its connection may go on counting', async () => {
  await using setup = new Setup({ sequenceAfterReconnect: 'continue' });
  const first = await setup.boot();
  first.cut();
  await until('the loss to be noticed', () => !setup.detector.connected);
  setup.clock.advance(5000);
  await until('a second connection', () => setup.broker.connections.length === 2);
  await setup.settled(1);
  assert.deepEqual(setup.broker.last.published, [hello, reading(2)]);
});

test('a boot begins the count and the interval anew', async () => {
  await using setup = new Setup({ sequenceAfterReconnect: 'continue' });
  const first = await setup.boot();
  first.publish(listen, 'Sleep30-');
  await until('the new interval', () => setup.detector.intervalSeconds === 30);
  await setup.detector.close();
  setup.detector.start();
  await until('a second connection', () => setup.broker.connections.length === 2);
  await setup.settled(1);
  assert.equal(setup.detector.intervalSeconds, 2);
  assert.deepEqual(setup.broker.last.published, [hello, reading(1)]);
});

test('a broker that refuses it is asked again every 5 s', async () => {
  await using setup = new Setup();
  setup.broker.script.connect = 5;
  setup.detector.start();
  await until('the refusal', () => setup.broker.dials === 1 && !setup.broker.last.open);
  await turns(20);
  setup.broker.script.connect = ReasonCode.Success;
  setup.clock.advance(5000);
  await until('the second try', () => setup.broker.dials === 2);
  await setup.settled(1);
  assert.equal(setup.detector.statistics.connects, 1);
});

test('switched off, it is quiet and stays away', async () => {
  await using setup = new Setup();
  const connection = await setup.boot();
  await setup.detector.close();
  await until('the end of the connection', () => !connection.open);
  setup.clock.advance(60_000);
  await turns(20);
  assert.equal(setup.broker.dials, 1);
  assert.equal(connection.published.length, 2);
});

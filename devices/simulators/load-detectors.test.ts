import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DavylampError, FakeClock, silentLogger } from '#base';
import { ScriptedBroker, turns, until } from '../../test/helpers/scripted-broker.ts';
import { LoadDetectors, type LoadDetectorsOptions } from './load-detectors.ts';

function setUp(options: Partial<LoadDetectorsOptions> = {}): {
  clock: FakeClock;
  broker: ScriptedBroker;
  load: LoadDetectors;
} {
  const clock = new FakeClock();
  const broker = new ScriptedBroker();
  const load = new LoadDetectors({
    createDialer: () => broker.dialer,
    clock,
    log: silentLogger,
    detectors: 6,
    connections: 2,
    qos: 1,
    rate: 100,
    ...options,
  });
  return { clock, broker, load };
}

test('detectors have topics, MACs and counts of their own and share the connections', async () => {
  const { clock, broker, load } = setUp();
  await load.start();
  clock.advance(120);
  await until('twelve acknowledgements', () => load.counts.acknowledged === 12);
  const published = broker.connections.flatMap((connection) => connection.published);
  assert.equal(broker.connections.length, 2);
  assert.equal(new Set(published.map((text) => text.split(' ')[0])).size, 6);
  assert.equal(new Set(published.map((text) => /MAC:(\S+)/.exec(text)?.[1])).size, 6);
  assert.ok(
    published.includes(
      'outTopic/23.17.224.11/10.0.0.5 1-Gas Sensor IP:10.0.0.5 MAC:05:00:00:7F:CF:5C Reading value=0',
    ),
  );
  assert.ok(
    published.includes(
      'outTopic/23.17.224.11/10.0.0.5 2-Gas Sensor IP:10.0.0.5 MAC:05:00:00:7F:CF:5C Reading value=0',
    ),
  );
  await load.close();
});

test('the rate is kept, and readings that cannot be sent at it are counted', async () => {
  const { clock, broker, load } = setUp({ rate: 1000, window: 50 });
  broker.script.acknowledge = false;
  await load.start();
  clock.advance(1000);
  await turns(10);
  assert.deepEqual(load.counts, { sent: 100, acknowledged: 0, skipped: 900, refused: 0 });
  await load.close();
});

test('flat out the window is filled again as soon as it opens; after stop nothing more is sent', async () => {
  const { clock, load } = setUp({ rate: 0, window: 10 });
  await load.start();
  for (let n = 0; n < 20; n++) {
    clock.advance(1);
    await turns(10);
  }
  const { sent } = load.counts;
  assert.ok(sent >= 20 * 20, `${sent} sent`);
  load.stop();
  clock.advance(100);
  await until('all acknowledged', () => load.counts.acknowledged === sent);
  assert.equal(load.counts.sent, sent);
  await load.close();
});

test('QoS 0 is handed over without answers', async () => {
  const { clock, broker, load } = setUp({ qos: 0, rate: 200 });
  await load.start();
  clock.advance(100);
  await turns(10);
  assert.deepEqual(load.counts, { sent: 20, acknowledged: 20, skipped: 0, refused: 0 });
  assert.ok(broker.connections.every((connection) => connection.publishes.every(({ qos }) => qos === 0)));
  await load.close();
});

test('numbers that make no load are refused', () => {
  for (const options of [{ detectors: 0 }, { connections: 7 }, { rate: -1 }, { detectors: 2 ** 24 + 1 }]) {
    assert.throws(
      () => setUp(options),
      (error) => error instanceof DavylampError && error.code === 'USAGE',
    );
  }
});

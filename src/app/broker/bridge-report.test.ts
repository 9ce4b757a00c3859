import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock, silentLogger } from '#base';
import { Broker } from '#broker';
import { Bridge } from '#bridges';
import type { BridgeConfig } from '#config';
import { MemoryJournal } from '#journal';
import { wideLimits } from '../../../test/helpers/broker-harness.ts';
import { SessionBroker, turnUntil } from '../../../test/helpers/session-broker.ts';
import { bridgeReport } from './bridge-report.ts';
import { insideDialer } from './inside-dialer.ts';

const config: BridgeConfig = {
  name: 'relay',
  host: 'relay.example',
  port: 8883,
  tls: null,
  protocolVersion: 5,
  clientId: 'north-relay',
  username: null,
  passwordFile: null,
  keepAliveSeconds: 0,
  cleanStart: false,
  sessionExpirySeconds: 3600,
  retryMinimumMs: 100,
  retryMaximumMs: 1000,
  topics: [{ filter: 'gas/#', direction: 'both', qos: 1, localPrefix: '', remotePrefix: '' }],
};

test('what a bridge tells: state, depth, age of the oldest, rates', async () => {
  const clock = new FakeClock();
  const log = silentLogger;
  const name = 'north';
  const journal = new MemoryJournal();
  const broker = new Broker({ clock, log, limits: wideLimits, journal, name, version: '0.0.0' });
  broker.start();
  const remote = new SessionBroker();
  remote.connackCode = 0x88;
  const localDialer = insideDialer(broker, 'bridge');
  const remoteDialer = remote.dialer;
  const bridge = new Bridge({ config, brokerName: name, localDialer, remoteDialer, clock, log });
  const report = bridgeReport(config, bridge, broker, clock);
  const told = (): Map<string, string | number> => new Map(report());
  const of = (key: string): string | number | undefined => told().get(`bridges/relay/${key}`);
  const publish = (payload: string): void => {
    broker.publish({ topic: 'gas/1', payload: Buffer.from(payload), qos: 1, retain: false });
  };
  bridge.start();
  await turnUntil(() => bridge.status.state === 'waiting', clock);
  publish('one');
  clock.advance(30_000);
  publish('two');
  assert.equal(of('queue/messages'), 2);
  assert.equal(of('queue/bytes'), 2 * 'gas/1one'.length);
  assert.equal(of('queue/oldest_seconds'), 30);
  assert.notEqual(of('last_error'), '');

  remote.connackCode = 0;
  remote.answersLate = true;
  await turnUntil(() => remote.accepted.length === 2, clock);
  assert.deepEqual([of('state'), of('queue/messages'), of('queue/in_flight')], ['connected', 0, 2]);
  assert.ok(Number(of('queue/oldest_seconds')) >= 30, 'what is not acknowledged is not over');
  remote.answersLate = false;
  remote.answer();
  await turnUntil(() => of('queue/in_flight') === 0, clock, 0);
  assert.equal(of('queue/oldest_seconds'), 0);
  assert.equal(of('sent'), 2);
  told();
  for (let count = 0; count < 10; count++) publish(String(count));
  clock.advance(5000);
  await turnUntil(() => remote.accepted.length === 12, clock, 0);
  const after = told();
  assert.equal(after.get('bridges/relay/sent'), 12);
  assert.equal(after.get('bridges/relay/sent/rate'), '2.0');
  assert.equal(after.get('bridges/relay/received/rate'), '0.0');
  await bridge.close();
  assert.equal(of('state'), 'closed');
  await broker.close();
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock, silentLogger } from '#base';
import { PacketType } from '#mqtt';
import { ScriptedBroker, turns, until, type ScriptedConnection } from '../../test/helpers/scripted-broker.ts';
import { HostAgent } from './host-agent.ts';

const readingTopic = 'davy/v1/acme/north/host/reading';
const stateTopic = 'davy/v1/acme/north/host/state';

function setUp(): { clock: FakeClock; broker: ScriptedBroker; agent: HostAgent } {
  const clock = new FakeClock(1_700_000_000_000);
  const broker = new ScriptedBroker();
  const agent = new HostAgent({
    dialer: broker.dialer,
    clock,
    log: silentLogger,
    tenant: 'acme',
    site: 'north',
    clientId: 'north-host',
    metrics: { read: () => ({ cpu_load: { value: 0.31, unit: '1' } }) },
  });
  return { clock, broker, agent };
}

function readings(connection: ScriptedConnection): readonly Record<string, unknown>[] {
  const own = connection.publishes.filter(({ topic }) => topic === readingTopic);
  return own.map(({ payload }) => JSON.parse(payload.toString()) as Record<string, unknown>);
}

/** Begins, and waits for the retained `online`. */
async function started({ broker, agent }: ReturnType<typeof setUp>): Promise<ScriptedConnection> {
  agent.start();
  await until('online', () => broker.connections.at(-1)?.published.includes(`${stateTopic} online`) === true);
  return broker.last;
}

test('a reading every five seconds as Davylamp JSON, MQTT 5, QoS 1', async () => {
  const setup = setUp();
  const connection = await started(setup);
  assert.equal(connection.connect.version, 5);
  for (let n = 1; n <= 2; n++) {
    setup.clock.advance(5000);
    await until(`acknowledgement ${n}`, () => setup.agent.statistics.acknowledged === n);
  }
  const [first, second] = readings(connection);
  assert.deepEqual(first, {
    seq: 1,
    boot: (1_700_000_000_000).toString(36),
    at: 1_700_000_005_000,
    type: 'host',
    values: { cpu_load: { value: 0.31, unit: '1' } },
  });
  assert.deepEqual(
    [second?.['seq'], second?.['boot'], second?.['at']],
    [2, first?.['boot'], 1_700_000_010_000],
  );
  assert.ok(connection.publishes.every(({ qos }) => qos === 1));
  await setup.agent.close();
});

test('its will turns a retained online into a retained offline; an orderly end says offline itself', async () => {
  const setup = setUp();
  const connection = await started(setup);
  const { will } = connection.connect;
  assert.deepEqual(
    [will?.topic, will?.payload.toString(), will?.qos, will?.retain],
    [stateTopic, 'offline', 1, true],
  );
  await setup.agent.close();
  await until('the end', () => !connection.open);
  assert.deepEqual(connection.published, [`${stateTopic} online`, `${stateTopic} offline`]);
  assert.ok(connection.publishes.every(({ retain }) => retain));
  assert.equal(connection.packets.at(-1)?.type, PacketType.Disconnect);
});

test('it comes back by itself and says online again', async () => {
  const setup = setUp();
  const connection = await started(setup);
  connection.cut();
  await turns(10);
  setup.clock.advance(10_000);
  await until('a second connection', () => setup.broker.connections.length === 2);
  await until('online', () => setup.broker.last.published.includes(`${stateTopic} online`));
  await setup.agent.close();
});

test('a broker that answers nothing leaves a bounded number of readings waiting; the rest is counted', async () => {
  const setup = setUp();
  setup.broker.script.acknowledge = false;
  const connection = await started(setup);
  for (let n = 0; n < 20; n++) {
    setup.clock.advance(5000);
    await turns(10);
  }
  assert.equal(readings(connection).length, 12);
  assert.equal(setup.agent.statistics.dropped, 8);
  const closed = setup.agent.close();
  await turns(5);
  setup.clock.advance(5000);
  await closed;
});

test('refused readings are counted as such', async () => {
  const setup = setUp();
  setup.broker.script.acknowledge = 0x87;
  await started(setup);
  setup.clock.advance(5000);
  await until('the refusal', () => setup.agent.statistics.refused === 1);
  await setup.agent.close();
});

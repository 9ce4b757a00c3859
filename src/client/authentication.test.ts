import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock, silentLogger, SystemClock } from '#base';
import { Broker, type ListenerProfile } from '#broker';
import { MemoryJournal } from '#journal';
import { createMemoryDialer } from '#listeners';
import { PacketType, type AuthPacket, type ConnectPacket, type Packet } from '#mqtt';
import { allowAll, createScramAuthenticator, hashScram, ScramFile, scramSha256 } from '#security';
import { wideLimits } from '../../test/helpers/broker-harness.ts';
import { ScriptedBroker, until } from '../../test/helpers/scripted-broker.ts';
import type { ClientAuthentication } from './authentication.ts';
import { Client } from './client.ts';
import type { ClientOptions } from './client-options.ts';

/** A real broker that knows `anna` with the password `secret`, by SCRAM alone. */
async function scramBroker(): Promise<{
  readonly users: ScramFile;
  readonly client: (authentication: ClientAuthentication, clientId?: string) => Client;
  [Symbol.asyncDispose](): Promise<void>;
}> {
  const clock = new SystemClock();
  const users = new ScramFile(`anna:${await hashScram('secret', 4096)}\n`, 'scram');
  const broker = new Broker({
    clock,
    log: silentLogger,
    limits: wideLimits,
    journal: new MemoryJournal(),
    name: 'test',
    version: '0',
  });
  broker.start();
  const profile: ListenerProfile = {
    name: 'test',
    authenticator: { authenticate: () => ({ reasonCode: 0x87, detail: 'by SCRAM only' }) },
    authorizer: allowAll,
    enhancedAuthenticator: createScramAuthenticator({ users, requireCertificate: false }),
    stampSite: null,
    minimumQos: 0,
    sharedClientIds: new Set(),
  };
  const dialer = createMemoryDialer((transport) => broker.accept(transport, profile));
  return {
    users,
    client: (authentication, clientId = 'c') =>
      new Client({ ...plain, dialer, clock, clientId, authentication }),
    [Symbol.asyncDispose]: () => broker.close(),
  };
}

const plain = {
  log: silentLogger,
  clientId: 'c',
  version: 5,
  cleanStart: true,
  keepAliveSeconds: 0,
  reconnect: false,
} as const satisfies Partial<ClientOptions>;

/** Says what it is asked, and believes a broker that says `proof`. */
const riddle: ClientAuthentication = {
  method: 'RIDDLE',
  begin: () => ({
    first: () => Buffer.from('hello'),
    answer: (data) => {
      if (data?.toString() === 'nonsense') throw new Error('that is no question');
      return Buffer.from(`answer to ${data?.toString()}`);
    },
    isProven: (data) => data?.toString() === 'proof',
  }),
};

/** A client of a broker that does what the test says. */
function scripted(options: Partial<ClientOptions> = { authentication: riddle }): {
  readonly broker: ScriptedBroker;
  readonly client: Client;
  readonly outcome: Promise<unknown>;
} {
  const broker = new ScriptedBroker();
  broker.script.connect = 'silent';
  const { dialer } = broker;
  const client = new Client({ ...plain, dialer, clock: new FakeClock(), ...options });
  const outcome = client.connect().then(
    () => 'connected',
    (error: unknown) => error,
  );
  return { broker, client, outcome };
}

const packets = (broker: ScriptedBroker): readonly Packet[] => broker.connections.at(-1)?.packets ?? [];
const auth = (reasonCode: number, data?: string, method = 'RIDDLE'): AuthPacket => ({
  type: PacketType.Auth,
  reasonCode,
  properties: {
    authenticationMethod: method,
    ...(data === undefined ? {} : { authenticationData: Buffer.from(data) }),
  },
});
const connack = (data: string | undefined, method: string | undefined): Packet => ({
  type: PacketType.Connack,
  sessionPresent: false,
  reasonCode: 0,
  properties: {
    ...(method === undefined ? {} : { authenticationMethod: method }),
    ...(data === undefined ? {} : { authenticationData: Buffer.from(data) }),
  },
});

test('v5 a client signs in by SCRAM-SHA-256, uses its connection and signs in again on it', async () => {
  await using broker = await scramBroker();
  await using client = broker.client(scramSha256({ username: 'anna', password: 'secret' }));
  const accepted = await client.connect();
  assert.equal(accepted.properties.authenticationMethod, 'SCRAM-SHA-256');
  const received: string[] = [];
  client.onMessage = ({ payload }) => received.push(payload.toString());
  await client.subscribe([{ filter: 't', qos: 1 }]);
  const again = client.reauthenticate();
  await assert.rejects(client.reauthenticate(), { code: 'USAGE' });
  await client.publish('t', 'meanwhile', { qos: 1 });
  await again;
  await client.reauthenticate();
  await client.publish('t', 'after', { qos: 1 });
  assert.deepEqual(received, ['meanwhile', 'after']);
});

test('v5 [MQTT-4.12.0-4] [MQTT-4.12.1-2] a wrong password is refused at CONNECT, and one that has changed at re-authentication', async () => {
  await using broker = await scramBroker();
  await using wrong = broker.client(scramSha256({ username: 'anna', password: 'guess' }));
  await assert.rejects(wrong.connect(), {
    code: 'CONNECTION_REFUSED',
    message: /^our own broker refused the connection: bad user name or password/,
  });
  await using client = broker.client(scramSha256({ username: 'anna', password: 'secret' }));
  await client.connect();
  broker.users.replace(`anna:${await hashScram('changed', 4096)}\n`, 'scram');
  await assert.rejects(client.reauthenticate(), { code: 'CONNECTION_LOST', message: /not authorized/ });
  assert.equal(client.state, 'closed');
});

test('v5 [MQTT-4.12.0-3] [MQTT-4.12.0-5] CONNECT, each AUTH and CONNACK name the method', async () => {
  const { broker, outcome } = scripted();
  await until('CONNECT', () => packets(broker).length === 1);
  const { properties } = packets(broker)[0] as ConnectPacket;
  assert.equal(properties.authenticationMethod, 'RIDDLE');
  assert.equal(properties.authenticationData?.toString(), 'hello');
  for (const question of ['one', 'two']) {
    broker.last.send(auth(0x18, question));
    await until('AUTH', () => packets(broker).at(-1)?.type === PacketType.Auth);
    assert.deepEqual(packets(broker).at(-1), auth(0x18, `answer to ${question}`));
    broker.last.packets.length = 1;
  }
  broker.last.send(connack('proof', 'RIDDLE'));
  assert.equal(await outcome, 'connected');
});

test('v5 [MQTT-3.1.2-30] what is published before CONNACK waits for it', async () => {
  const { broker, client, outcome } = scripted();
  await until('CONNECT', () => packets(broker).length === 1);
  const published = client.publish('t', 'x', { qos: 1 });
  broker.last.send(auth(0x18, 'one'));
  await until('AUTH', () => packets(broker).length === 2);
  assert.equal(packets(broker)[1]?.type, PacketType.Auth);
  broker.last.send(connack('proof', 'RIDDLE'));
  assert.equal(await outcome, 'connected');
  assert.deepEqual(await published, { reasonCode: 0 });
});

test('v5 [MQTT-4.12.0-5] [MQTT-4.12.0-6] [MQTT-4.12.0-7] a broker that names another method, proves nothing or asks out of turn is left', async () => {
  const slow: ClientAuthentication = {
    method: riddle.method,
    begin: () => ({ ...riddle.begin(), answer: async (data) => riddle.begin().answer(data) }),
  };
  const stuck = {
    authentication: {
      method: riddle.method,
      begin: () => ({ ...riddle.begin(), answer: () => new Promise<Buffer>(() => {}) }),
    },
  };
  const cases: readonly (readonly [string, readonly Packet[], Partial<ClientOptions>?])[] = [
    ['CONNACK without proof', [connack(undefined, 'RIDDLE')]],
    ['CONNACK with a wrong proof', [connack('proo', 'RIDDLE')]],
    ['CONNACK without the method', [connack('proof', undefined)]],
    ['CONNACK with another method', [connack('proof', 'OTHER')]],
    ['AUTH with another method', [auth(0x18, 'one', 'OTHER')]],
    ['AUTH that begins again', [auth(0x19, 'one')]],
    ['AUTH with success before CONNACK', [auth(0x00, 'proof')]],
    ['AUTH before the answer to the one before', [auth(0x18, 'one'), auth(0x18, 'two')], stuck],
    ['CONNACK before the answer', [auth(0x18, 'one'), connack('proof', 'RIDDLE')], stuck],
    ['a question that cannot be answered', [auth(0x18, 'nonsense')]],
    ['AUTH to a client without a method', [auth(0x18, 'one')], {}],
    ['a method in CONNACK to a client without one', [connack('proof', 'RIDDLE')], {}],
  ];
  for (const [what, answers, options = { authentication: slow }] of cases) {
    const { broker, outcome } = scripted(options);
    await until('CONNECT', () => packets(broker).length === 1);
    for (const packet of answers) broker.last.send(packet);
    const error = await outcome;
    assert.ok(error instanceof Error && 'code' in error, `${what}: ${String(error)}`);
    assert.equal(error.code, 'PROTOCOL', what);
  }
});

test('v5 [MQTT-4.12.1-2] a broker that proves nothing at re-authentication is left with DISCONNECT', async () => {
  for (const answer of [auth(0x00, 'no proof'), auth(0x18, 'nonsense'), auth(0x00, 'proof', 'OTHER')]) {
    const { broker, client, outcome } = scripted();
    await until('CONNECT', () => packets(broker).length === 1);
    broker.last.send(connack('proof', 'RIDDLE'));
    await outcome;
    const again = client.reauthenticate();
    await until('AUTH', () => packets(broker).length === 2);
    assert.deepEqual(packets(broker)[1], auth(0x19, 'hello'));
    broker.last.send(answer);
    await assert.rejects(again, { code: 'PROTOCOL' });
    await until('DISCONNECT', () => packets(broker).at(-1)?.type === PacketType.Disconnect);
  }
});

test('an authentication method needs MQTT 5 and a connection', async () => {
  const { dialer } = new ScriptedBroker();
  const clock = new FakeClock();
  const old = new Client({ ...plain, dialer, clock, version: 4, authentication: riddle });
  await assert.rejects(old.connect(), { code: 'USAGE' });
  const without = new Client({ ...plain, dialer, clock });
  await assert.rejects(without.reauthenticate(), { code: 'CONNECTION_LOST' });
  await without.connect();
  await assert.rejects(without.reauthenticate(), { code: 'USAGE' });
  await without.close();
});

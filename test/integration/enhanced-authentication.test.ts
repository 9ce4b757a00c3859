/** SCRAM-SHA-256 over the wire: a foreign client, MQTT.js, does the exchange; the steps are those of RFC 7677. */
import assert from 'node:assert/strict';
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { connect, type MqttClient } from 'mqtt';
import { Broker, hashScram, silentLogger } from 'davylamp/broker';

const clientNonce = 'fyko+d2lbbFgONRv9qkxdawL';
const first = (user: string): string => `n=${user},r=${clientNonce}`;

/** The client's answer, worked out here by hand: nothing of the project's own client takes part. */
function finalMessage(user: string, password: string, challenge: string): { text: string; expected: string } {
  const [, nonce = '', salt = '', iterations = ''] = /^r=(.*),s=(.*),i=(\d+)$/.exec(challenge) ?? [];
  const salted = pbkdf2Sync(password, Buffer.from(salt, 'base64'), Number(iterations), 32, 'sha256');
  const hmac = (key: Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();
  const clientKey = hmac(salted, 'Client Key');
  const storedKey = createHash('sha256').update(clientKey).digest();
  const message = `${first(user)},${challenge},c=biws,r=${nonce}`;
  const signature = hmac(storedKey, message);
  const proof = Buffer.from(clientKey.map((byte, at) => byte ^ (signature[at] ?? 0)));
  const expected = hmac(hmac(salted, 'Server Key'), message).toString('base64');
  return { text: `c=biws,r=${nonce},p=${proof.toString('base64')}`, expected: `v=${expected}` };
}

async function scramBroker(context: TestContext): Promise<Broker> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'davylamp-scram-'));
  context.after(() => rm(folder, { recursive: true }));
  const scramFile = path.join(folder, 'scram');
  await writeFile(scramFile, `anna:${await hashScram('secret')}\n`, { mode: 0o600 });
  return Broker.start({ listeners: [{ port: 0, scramFile }], log: silentLogger });
}

/** Signs in and tells what the broker said at the end, or why it refused. */
function signIn(
  broker: Broker,
  user: string,
  password: string,
): Promise<{ client: MqttClient; proof: string; expected: string }> {
  return new Promise((resolve, reject) => {
    let expected = '';
    const client = connect(broker.url, {
      protocolVersion: 5,
      reconnectPeriod: 0,
      properties: {
        authenticationMethod: 'SCRAM-SHA-256',
        authenticationData: Buffer.from(`n,,${first(user)}`),
      },
    });
    client.handleAuth = ({ properties }, callback) => {
      const answer = finalMessage(user, password, properties?.authenticationData?.toString() ?? '');
      ({ expected } = answer);
      callback(undefined, {
        cmd: 'auth',
        reasonCode: 0x18,
        properties: {
          authenticationMethod: 'SCRAM-SHA-256',
          authenticationData: Buffer.from(answer.text),
        },
      });
    };
    client.once('connect', ({ properties }) => {
      assert.equal(properties?.authenticationMethod, 'SCRAM-SHA-256');
      resolve({ client, proof: properties?.authenticationData?.toString() ?? '', expected });
    });
    client.once('error', reject);
  });
}

test('v5 [MQTT-4.12.0-2] [MQTT-4.12.0-5] MQTT.js signs in by SCRAM-SHA-256, and the broker proves itself', async (context) => {
  await using broker = await scramBroker(context);
  const { client, proof, expected } = await signIn(broker, 'anna', 'secret');
  assert.equal(proof, expected);
  assert.match(proof, /^v=[A-Za-z0-9+/]{43}=$/);
  await client.publishAsync('t', 'x', { qos: 1 });
  assert.equal(broker.statistics.publishReceived, 1);
  await client.endAsync();
});

test('v5 [MQTT-4.12.0-4] MQTT.js with a wrong password, or as nobody known, is refused alike', async (context) => {
  await using broker = await scramBroker(context);
  for (const [user, password] of [
    ['anna', 'guess'],
    ['nobody', 'secret'],
  ] as const) {
    await assert.rejects(signIn(broker, user, password), { code: 0x86 });
  }
});

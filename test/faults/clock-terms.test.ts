/**
 * What a clock that is set does to what depends on time: a session does not end before its time, and a reading is dated
 * by the site's clock as long as that is not ahead of the cloud's.
 */
import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'node:test';
import { SystemClock, silentLogger } from '#base';
import { Client } from '#client';
import { legacyReadingText, reversedMac } from '#devices';
import { createDialer } from '#listeners';
import { eventually } from '../helpers/demo-process.ts';
import { FaultChain } from './chain.ts';
import { whyNoClocks } from './role-clock.ts';

const clock = new SystemClock();
const yearSeconds = 365 * 86_400;
const daySeconds = 86_400;
const hourMs = 3_600_000;
const options = { timeout: 120_000, skip: whyNoClocks() ?? false };

describe('a clock that is set', () => {
  it('ends no session before its time, and each at its time', options, async () => {
    await using chain = await FaultChain.start({ qos: 1, hasClocks: true });
    const watcher = await visitor(chain, 'watcher', 0);
    await using _watcher = { [Symbol.asyncDispose]: () => watcher.close() };
    let expired = 0;
    watcher.onMessage = ({ payload }) => (expired = Number(payload.toString()));
    await watcher.subscribe([{ filter: '$SYS/broker/clients/expired', qos: 0 }]);
    const patient = await visitor(chain, 'patient', 3600);
    await patient.subscribe([{ filter: 'outTopic/#', qos: 1 }]);
    await patient.close();
    const [, , cloudClock] = chain.clocks;
    cloudClock?.set(yearSeconds);
    await (await visitor(chain, 'hasty', 2)).close();
    // So the sessions have been looked at, and with the new time.
    await eventually('the end of the session of two seconds', () => (expired === 1 ? true : undefined));
    await reading(chain, 1);
    const seen = timesOf(chain);
    await eventually('the row', () => (seen().length === 1 ? true : undefined));
    const again = await connect(chain, 'patient', 3600);
    assert.equal(again.isResumed, true, 'the session of an hour has outlived the year');
    await again.client.close();
  });

  it('dates readings by the site, unless that is ahead of the cloud', options, async () => {
    await using chain = await FaultChain.start({ qos: 1, hasClocks: true });
    const seen = timesOf(chain);
    const [siteClock] = chain.clocks;
    let sequence = 0;
    /** Publishes until a reading is dated as expected: the process looks at its clock once a second. */
    const dated = async (expectedMs: number, quality: string): Promise<void> => {
      await eventually(`a reading of quality ${quality}, ${expectedMs} ms from now`, async () => {
        await reading(chain, ++sequence);
        await eventually('its row', () => (seen().length === sequence ? true : undefined));
        const last = seen().at(-1);
        const offset = (last?.at ?? 0) - clock.now();
        return Math.abs(offset - expectedMs) < hourMs / 4 && last?.quality === quality ? true : undefined;
      });
    };
    await dated(0, 'good');
    siteClock?.set(-daySeconds);
    await dated(-daySeconds * 1000, 'good');
    siteClock?.set(yearSeconds);
    await dated(0, 'uncertain-time');
    siteClock?.set(0);
    await dated(0, 'good');
    const sequences = seen().map((row) => row.sequence);
    assert.deepEqual(
      sequences,
      Array.from({ length: sequence }, (_, index) => index + 1),
      'each once, in order',
    );
  });
});

interface Row {
  readonly sequence: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly quality: string;
}

/** Looks at the readings that are stored. */
function timesOf(chain: FaultChain): () => readonly Row[] {
  return () => {
    using database = new DatabaseSync(chain.storeFile, { readOnly: true });
    return database
      .prepare('SELECT sequence, at, quality FROM reading ORDER BY id')
      .all()
      .map((row) => ({
        sequence: Number(row['sequence']),
        at: Number(row['at']),
        quality: ['good', 'warming', 'uncertain-time'][Number(row['quality'])] ?? '',
      }));
  };
}

async function reading(chain: FaultChain, sequence: number): Promise<void> {
  const client = new Client({
    dialer: createDialer({ ...chain.fieldTarget, tls: null, clock }),
    clock,
    log: silentLogger,
    clientId: 'detector',
    version: 4,
    cleanStart: true,
    keepAliveSeconds: 10,
    username: 'detector',
    password: await chain.password('detector'),
    reconnect: false,
  });
  await client.connect();
  const text = legacyReadingText({
    sequence,
    sensorType: 'Gas',
    ip: '192.168.99.1',
    macSent: reversedMac('5C:CF:7F:99:00:01'),
    value: 0,
    requested: false,
  });
  await client.publish('outTopic/192.0.2.10/192.168.99.1', text, { qos: 1 });
  await client.close();
}

async function visitor(chain: FaultChain, clientId: string, sessionExpirySeconds: number): Promise<Client> {
  return (await connect(chain, clientId, sessionExpirySeconds)).client;
}

async function connect(
  chain: FaultChain,
  clientId: string,
  sessionExpirySeconds: number,
): Promise<{ client: Client; isResumed: boolean }> {
  const client = new Client({
    ...(await chain.visitor()),
    clock,
    log: silentLogger,
    clientId,
    version: 5,
    cleanStart: false,
    sessionExpirySeconds,
    keepAliveSeconds: 10,
    reconnect: false,
  });
  const { sessionPresent } = await client.connect();
  return { client, isResumed: sessionPresent };
}

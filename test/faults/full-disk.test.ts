/**
 * A site whose disk fills while its uplink is down: publishers are refused or slowed, whoever is connected still gets
 * what comes, and when the uplink is back everything that was acknowledged arrives and publishers are taken again.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { SystemClock, silentLogger } from '#base';
import { Client } from '#client';
import { legacyReadingText, reversedMac } from '#devices';
import { createDialer } from '#listeners';
import { eventually } from '../helpers/demo-process.ts';
import { FaultChain, type ChainOptions } from './chain.ts';
import { storedRows } from './stored-rows.ts';

const run = promisify(execFile);
const clock = new SystemClock();
const topic = 'outTopic/192.0.2.10/192.168.99.1';
const mac = reversedMac('5C:CF:7F:99:00:01');

/** A file system of its own for the site's journal: full means what the system says it means. */
const smallDisk: Pick<ChainOptions, 'beforeStart'> = {
  beforeStart: async (plan) => {
    const folder = path.join(plan.folder, 'north', 'journal');
    await mkdir(folder, { mode: 0o700 });
    await run('mount', ['-t', 'tmpfs', '-o', 'size=8m,mode=0700', 'davylamp-test', folder]);
    return async () => {
      await run('umount', ['-l', folder]);
    };
  },
};

const ways = [
  {
    name: 'the bound on the journal is reached',
    options: { siteTables: { persistence: 'maximum_size = "6MiB"' } },
    needsMount: false,
  },
  // The bound says how much is kept free for what makes room, and how long a segment is.
  {
    name: 'the disk is full',
    options: { ...smallDisk, siteTables: { persistence: 'maximum_size = "32MiB"' } },
    needsMount: true,
  },
];

const whyNoMount = await whyNotMounted();

describe('a full disk', () => {
  for (const { name, options, needsMount } of ways) {
    const whyNot = needsMount ? whyNoMount : null;
    it(name, { timeout: 240_000, skip: whyNot ?? false }, async (test) => {
      await using chain = await FaultChain.start({ qos: 1, ...options });
      const publisher = await connect(chain, 'publisher', 5);
      const onlooker = await connect(chain, 'onlooker', 4);
      await using _publisher = closing(publisher);
      await using _onlooker = closing(onlooker);
      const acknowledged: number[] = [];
      let refused = 0;
      let sequence = 0;
      const publish = async (): Promise<void> => {
        const number = ++sequence;
        const { reasonCode } = await publisher.publish(topic, reading(number), { qos: 1 });
        if (reasonCode < 0x80) acknowledged.push(number);
        else refused++;
      };
      await publish();
      chain.uplink.cut();
      await eventually(
        'a refusal',
        async () => {
          await Promise.all(Array.from({ length: 500 }, publish));
          return refused > 0 ? true : undefined;
        },
        120_000,
      );
      test.diagnostic(`refused after ${acknowledged.length} acknowledged messages`);
      // A detector at QoS 0 is still let through to those who are there; one before MQTT 5 is not disconnected.
      assert.equal(onlooker.state, 'connected');
      await onlooker.publish(topic, reading(0), { qos: 0 });
      assert.equal(publisher.state, 'connected');
      chain.uplink.heal();
      const before = acknowledged.length;
      await eventually(
        'an acknowledgement after the uplink is back',
        async () => {
          await publish();
          return acknowledged.length > before ? true : undefined;
        },
        120_000,
      );
      const rows = storedRows(chain.storeFile);
      await eventually('every row', () => (rows.count() >= acknowledged.length ? true : undefined), 120_000);
      const stored = new Set([...rows.all()].map((row) => row.sequence));
      rows.close();
      assert.deepEqual(
        acknowledged.filter((number) => !stored.has(number)),
        [],
        'everything that was acknowledged is stored',
      );
    });
  }
});

function reading(sequence: number): string {
  return legacyReadingText({
    sequence,
    sensorType: 'Gas',
    ip: '192.168.99.1',
    macSent: mac,
    value: 0,
    requested: false,
  });
}

async function connect(chain: FaultChain, clientId: string, version: 4 | 5): Promise<Client> {
  const client = new Client({
    dialer: createDialer({ host: '127.0.0.1', port: chain.plan.ports.sites[0] ?? 0, tls: null, clock }),
    clock,
    log: silentLogger,
    clientId,
    version,
    cleanStart: true,
    keepAliveSeconds: 10,
    username: 'detector',
    password: await chain.password('detector'),
    reconnect: { minimumMs: 100, maximumMs: 1000 },
  });
  await client.connect();
  return client;
}

function closing(client: Client): AsyncDisposable {
  return { [Symbol.asyncDispose]: () => client.close() };
}

/** Why a file system of its own cannot be mounted here; `null` = it can. */
async function whyNotMounted(): Promise<string | null> {
  try {
    await run('unshare', ['--mount', 'mount', '-t', 'tmpfs', '-o', 'size=1m', 'davylamp-test', '/mnt']);
    return null;
  } catch {
    return 'a small file system is mounted for the journal, which takes root with the right to mount';
  }
}

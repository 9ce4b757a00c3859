/**
 * Absent clients for whom far more waits than there is memory, over real sockets: it stays bounded, and who is there gets
 * everything.
 */
import assert from 'node:assert/strict';
import process from 'node:process';
import { test } from 'node:test';
import { silentLogger } from '#base';
import { Broker } from 'davylamp/broker';
import { calmClient } from '../helpers/calm-pair.ts';

/** A subscriber that has gone and lets messages wait for it. */
async function leaveSession(port: number, clientId: string): Promise<void> {
  const client = calmClient(clientId, { port }, { cleanStart: false, sessionExpirySeconds: 3600 });
  await client.connect();
  await client.subscribe([{ filter: `for/${clientId}`, qos: 1 }]);
  await client.close();
}

test(
  'absent clients for whom far more waits than there is memory: it stays bounded, who is there gets everything',
  { timeout: 60_000 },
  async () => {
    const mib = 1024 * 1024;
    const bound = 128 * mib;
    await using small = await Broker.start({
      listeners: [{ protocol: 'tcp', port: 0, allowAnonymous: true }],
      limits: { maximumMemory: bound, maximumByteRate: 0 },
      log: silentLogger,
    });
    const door = small.listening[0]!.port;
    const absent = Array.from({ length: 8 }, (_, i) => `absent-${i}`);
    for (const clientId of absent) await leaveSession(door, clientId);
    const publisher = calmClient('publisher', { port: door });
    await publisher.connect();
    const rounds = 400;
    let here = 0;
    let all: () => void = () => {};
    const everything = new Promise<void>((resolve) => (all = resolve));
    const count = (): void => {
      here++;
      if (here === rounds * absent.length) all();
    };
    await small.subscribe('for/#', count, { qos: 1 });
    const payload = Buffer.alloc(64 * 1024, 1);
    let most = 0;
    for (let i = 0; i < rounds; i++) {
      await Promise.all(absent.map((clientId) => publisher.publish(`for/${clientId}`, payload, { qos: 1 })));
      const { heapUsed, external } = process.memoryUsage();
      most = Math.max(most, heapUsed + external);
    }
    await everything;
    await publisher.close();
    const { dropped, queuedBytes } = small.statistics;
    console.log(
      `measured: absent: ${Math.round((rounds * absent.length * payload.length) / mib)} MiB sent, ` +
        `${Math.round(queuedBytes / mib)} MiB wait, ${Math.round(most / mib)} MiB at most of ${bound / mib}`,
    );
    assert.equal(here, rounds * absent.length);
    assert.ok(dropped.memory > 0);
    assert.equal(dropped['queue-full'], 0);
    assert.ok(queuedBytes < bound, `${queuedBytes} bytes`);
  },
);

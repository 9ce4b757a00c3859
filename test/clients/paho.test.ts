/** Debian's python3-paho-mqtt against the broker; `paho_client.py` acts, this judges what it saw. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { carriers, ClientBroker, type Carrier } from './client-broker.ts';

// Debian's own interpreter: another on the PATH does not see Debian's packages.
const python = '/usr/bin/python3';
const isMissing = !existsSync('/usr/lib/python3/dist-packages/paho/mqtt/client.py') || !existsSync(python);
const skip = isMissing ? 'paho-mqtt is not installed (apt-get install python3-paho-mqtt)' : false;
const script = path.join(import.meta.dirname, 'paho_client.py');

let broker: ClientBroker;
const running = new Set<ChildProcess>();

before(async () => {
  if (!isMissing) broker = await ClientBroker.start();
});

after(async () => {
  for (const child of running) child.kill('SIGKILL');
  if (!isMissing) await broker[Symbol.asyncDispose]();
});

/** Runs all scenarios of one version over one carrier. */
function run(version: number, carrier: Carrier): Promise<Map<string, unknown>> {
  const isTls = carrier === 'tls' || carrier === 'wss';
  const args = [
    script,
    String(version),
    carrier === 'ws' || carrier === 'wss' ? 'websockets' : 'tcp',
    String(broker.port(carrier)),
    isTls ? broker.authority.caFile : '-',
  ];
  return new Promise((resolve, reject) => {
    const child = spawn(python, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    running.add(child);
    let output = '';
    let errors = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    child.once('close', (code) => {
      running.delete(child);
      const last = output.trimEnd().split('\n').at(-1)?.slice(0, 60);
      if (code !== 0) reject(new Error(`paho ended with ${code} after ${last}: ${errors}`));
      const scenarios = output.trimEnd().split('\n');
      resolve(
        new Map(
          scenarios.map((line) => {
            const { name, value } = JSON.parse(line) as { name: string; value: unknown };
            return [name, value];
          }),
        ),
      );
    });
  });
}

const numbers = (count: number): string[] => Array.from({ length: count }, (_, n) => String(n));

describe('paho-mqtt for Python', { skip, concurrency: 4 }, () => {
  for (const carrier of carriers) {
    for (const version of [3, 4, 5]) {
      it(`does all that it can over ${carrier}, version ${version}`, async () => {
        const seen = await run(version, carrier);
        for (const qos of [0, 1, 2]) assert.deepEqual(seen.get(`qos ${qos}`), [[qos], true, numbers(300)]);
        assert.equal(seen.get('large'), true);
        assert.deepEqual(seen.get('retained'), [
          ['a', true],
          ['c', true],
          ['live', false],
        ]);
        assert.deepEqual(seen.get('will'), [
          ['will/cut', 'gone'],
          ['will/end', 'end'],
        ]);
        // MQTT 3.1 does not know that flag. Order is kept within a QoS; paho hands QoS 2 on with PUBREL.
        const [present, texts] = seen.get('session') as [number[], string[]];
        assert.deepEqual(present, version === 3 ? [0, 0] : [0, 1]);
        for (const rest of [0, 1]) {
          const isOf = (text: string): boolean => Number(text) % 2 === rest;
          assert.deepEqual(texts.filter(isOf), numbers(100).filter(isOf));
        }
        const isPlain = carrier === 'tcp' || carrier === 'ws';
        const cuts = seen.get('cuts') as string[] | undefined;
        assert.deepEqual(cuts?.toSorted(), isPlain ? [...numbers(400), 'end'].toSorted() : undefined);
        assert.deepEqual(seen.get('unsubscribed'), ['2']);
        const userProperties = [
          ['colour', 'red'],
          ['colour', 'blue'],
          ['size', 'ü'],
        ];
        assert.deepEqual(
          seen.get('properties'),
          version === 5 ? [true, 1, 'text/plain', 'answer/here', '00ff', userProperties, [300]] : undefined,
        );
      });
    }
  }
});

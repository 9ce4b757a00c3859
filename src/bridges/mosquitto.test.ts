import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { silentLogger, SystemClock, type Dialer, type Transport } from '#base';
import { Broker } from '#broker';
import { Client } from '#client';
import { MemoryJournal } from '#journal';
import { createDialer, createMemoryDialer } from '#listeners';
import { bridgeConfig, bridgeTopic } from '../../test/helpers/bridge-config.ts';
import { openProfile, wideLimits } from '../../test/helpers/broker-harness.ts';
import { Bridge } from './bridge.ts';

const program = ['mosquitto', '/usr/sbin/mosquitto'].find(
  (name) => spawnSync(name, ['-h']).error === undefined,
);
const skip = program === undefined ? 'mosquitto is not installed (apt-get install mosquitto)' : false;
const clock = new SystemClock();
let port = 0;
let folder = '';
let mosquitto: ChildProcess | undefined;
let keepAwake: NodeJS.Timeout | undefined;

before(async () => {
  if (program === undefined) return;
  // The project's timers do not keep a process alive, and the waits below are such.
  keepAwake = setInterval(() => {}, 1000);
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  ({ port } = probe.address() as AddressInfo);
  await new Promise<void>((resolve) => probe.close(() => resolve()));
  folder = await mkdtemp(path.join(os.tmpdir(), 'davylamp-mosquitto-'));
  const file = path.join(folder, 'mosquitto.conf');
  await writeFile(file, `listener ${port} 127.0.0.1\nallow_anonymous true\n`);
  mosquitto = spawn(program, ['-c', file], { stdio: 'ignore' });
});

after(async () => {
  clearInterval(keepAwake);
  mosquitto?.kill();
  if (folder !== '') await rm(folder, { recursive: true, force: true });
});

for (const version of [4, 5] as const) {
  for (const direction of ['out', 'in'] as const) {
    test(
      `QoS 2 ${direction} with Mosquitto, version ${version}: each once and in order over many cuts`,
      { skip },
      async () => {
        const profile = openProfile();
        const log = silentLogger;
        const broker = new Broker({
          clock,
          log,
          limits: wideLimits,
          journal: new MemoryJournal(),
          name: 'north',
          version: '0.0.0',
        });
        broker.start();
        const local = createMemoryDialer((transport) => broker.accept(transport, profile));
        const remote = createDialer({ host: '127.0.0.1', port, tls: null });
        let line: Transport | null = null;
        const cutRemote: Dialer = {
          target: remote.target,
          dial: async (handler, signal) => {
            line = await remote.dial(handler, signal);
            return line;
          },
        };
        const name = `${direction}${version}`;
        const bridge = new Bridge({
          config: bridgeConfig({
            name,
            protocolVersion: version,
            clientId: `bridge-${name}`,
            keepAliveSeconds: 30,
            retryMinimumMs: 5,
            retryMaximumMs: 50,
            topics: [{ ...bridgeTopic(direction, 2, `${name}/#`), remotePrefix: 'far/' }],
          }),
          brokerName: 'north',
          localDialer: local,
          remoteDialer: cutRemote,
          clock,
          log,
        });
        const connect = async (dialer: Dialer, clientId: string): Promise<Client> => {
          const client = new Client({
            dialer,
            clock,
            log,
            clientId,
            version: 5,
            cleanStart: true,
            keepAliveSeconds: 0,
            reconnect: { minimumMs: 5, maximumMs: 50 },
          });
          await client.connect();
          return client;
        };
        const clients = [await connect(local, `near-${name}`), await connect(remote, `far-${name}`)] as const;
        const [sender, receiver] = direction === 'out' ? clients : [clients[1], clients[0]];
        const [from, to] = direction === 'out' ? ['', 'far/'] : ['far/', ''];
        const got: string[] = [];
        let wake: () => void = () => {};
        receiver.onMessage = (message) => {
          got.push(message.payload.toString());
          wake();
        };
        const until = async (condition: () => boolean): Promise<void> => {
          while (!condition()) {
            await new Promise<void>((resolve) => {
              wake = resolve;
            });
          }
        };
        await receiver.subscribe([{ filter: `${to}${name}/#`, qos: 2 }]);
        bridge.start();
        // Probes until one arrives: the subscription stands. The last of them is behind all others.
        while (got.length === 0) {
          await sender.publish(`${from}${name}/probe`, 'probe', { qos: 1 });
          await new Promise((resolve) => setImmediate(resolve));
        }
        await sender.publish(`${from}${name}/probe`, 'last', { qos: 1 });
        await until(() => got.includes('last'));
        got.length = 0;

        const expected = Array.from({ length: 600 }, (_, index) => String(index));
        const answers = expected.map((payload) => sender.publish(`${from}${name}/x`, payload, { qos: 2 }));
        for (let mark = 30; mark < 600; mark += 60) {
          await until(() => got.length >= mark);
          line!.destroy();
        }
        await Promise.all(answers);
        await until(() => got.length >= 600);
        assert.deepEqual(got, expected);
        assert.ok(bridge.status.connects > 3, `${bridge.status.connects} connections`);
        await Promise.all([bridge.close(), ...clients.map((client) => client.close())]);
        await broker.close();
      },
    );
  }
}

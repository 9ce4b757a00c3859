import { existsSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { startPinned, type BrokerAdapter } from './broker-adapter.ts';

const folder = path.join(import.meta.dirname, '..', 'competitors');

/** Aedes, the usual MQTT broker for Node, on the same Node as ours. */
export const aedes: BrokerAdapter = {
  name: 'aedes',
  maximumQos: 2,
  doors: ['tcp', 'tls', 'ws'],
  missing: () =>
    existsSync(path.join(folder, 'node_modules', 'aedes'))
      ? undefined
      : `it is not installed (npm ci --prefix ${path.relative('.', folder)})`,
  start: (setup) =>
    startPinned({
      port: setup.port,
      command: process.execPath,
      args: [path.join(folder, 'aedes-broker.ts'), JSON.stringify(setup)],
      settleSignal: 'SIGUSR2',
    }),
};

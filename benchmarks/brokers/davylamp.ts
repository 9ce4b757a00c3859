import { existsSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { startPinned, type BrokerAdapter } from './broker-adapter.ts';

const door = path.join(import.meta.dirname, '..', '..', 'src', 'embed', 'index.ts');
const program = path.join(import.meta.dirname, 'davylamp-broker.ts');

/** Our own broker, run from source, in one process and one thread of JavaScript. */
export const davylamp: BrokerAdapter = {
  name: 'davylamp',
  maximumQos: 2,
  doors: ['tcp', 'tls', 'ws'],
  missing: () => (existsSync(door) ? undefined : `${door} is not there`),
  start: (setup) =>
    startPinned({
      port: setup.port,
      command: process.execPath,
      // The first as bin/davylamp does.
      args: ['--max-semi-space-size=16', '--conditions=source', program, JSON.stringify(setup)],
      settleSignal: 'SIGUSR2',
    }),
};

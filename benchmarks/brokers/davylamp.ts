import { existsSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { startPinned, type BrokerAdapter } from './broker-adapter.ts';

const door = path.join(import.meta.dirname, '..', '..', 'src', 'embed', 'index.ts');
const program = path.join(import.meta.dirname, 'davylamp-broker.ts');

/** For the collector, as bin/davylamp gives them. */
export const collectorOptions = [
  '--max-semi-space-size=16',
  '--external-memory-accounted-in-global-limit',
] as const;

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
      args: [...collectorOptions, '--conditions=source', program, JSON.stringify(setup)],
      settleSignal: 'SIGUSR2',
    }),
};

import { existsSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { startPinned, type BrokerAdapter } from './broker-adapter.ts';

const door = path.join(import.meta.dirname, '..', '..', 'src', 'broker', 'index.ts');
const program = path.join(import.meta.dirname, 'davylamp-broker.ts');

/** Our own broker, run from source, in one process and one thread of JavaScript. */
export const davylamp: BrokerAdapter = {
  name: 'davylamp',
  maximumQos: 2,
  missing: () => (existsSync(door) ? undefined : `${door} is not there`),
  start: (port) => startPinned(0, port, process.execPath, ['--conditions=source', program, String(port)]),
};

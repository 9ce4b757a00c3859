import { existsSync } from 'node:fs';
import path from 'node:path';
import { startPinned, type BrokerAdapter } from './broker-adapter.ts';

const program = path.join(import.meta.dirname, '..', 'build', 'floor');

/** The least work that can carry MQTT between sockets, in C: not a broker but the limit. */
export const floor: BrokerAdapter = {
  name: 'floor',
  maximumQos: 1,
  doors: ['tcp'],
  missing: () => (existsSync(program) ? undefined : `${program} is not built`),
  start: ({ port }) => startPinned({ port, command: program, args: [String(port)] }),
};

import { logLevels } from '#base';
import { commandNames } from '#model';
import { bridgeTable } from './schema-bridge.ts';
import { brokerTable } from './schema-broker.ts';
import { hour, minute, type TableSpec } from './key-type.ts';
import { listenerTable } from './schema-listener.ts';
import { metricsTable } from './schema-metrics.ts';
import { persistenceTable } from './schema-persistence.ts';
import { alarmTable, platformTable } from './schema-platform.ts';

const commandsTable: TableSpec = {
  key: 'commands',
  form: 'one',
  description:
    'The door by which commands from outside reach the detectors of this site. Closed unless opened here.',
  tables: [],
  keys: [
    {
      key: 'accept',
      type: { kind: 'boolean' },
      default: false,
      reload: 'live',
      description: 'Let commands in at all.',
    },
    {
      key: 'allow',
      type: { kind: 'list', of: { kind: 'choice', values: commandNames } },
      default: commandNames,
      reload: 'live',
      description: 'Which commands.',
    },
    {
      key: 'sleep_minimum',
      type: { kind: 'duration', unit: 's', minimum: 0.01, maximum: 86_400, fraction: true },
      default: 1,
      reload: 'live',
      description:
        'Shortest time between readings that `Sleep` may set. A hundred readings a second from each detector is more than a radio carries.',
    },
    {
      key: 'sleep_maximum',
      type: { kind: 'duration', unit: 's', minimum: 0.01, maximum: 86_400, fraction: true },
      default: 600,
      reload: 'live',
      description:
        'Longest time that `Sleep` may set: a detector that sleeps for long is a detector that cannot warn.',
    },
    {
      key: 'answer_timeout',
      type: { kind: 'duration', unit: 'ms', minimum: 100, maximum: hour },
      default: minute / 6,
      reload: 'live',
      description: 'A command without an answer for this long has expired.',
    },
  ],
};

/** The whole configuration file, as data: from it come validation, defaults and the reference page. */
export const schema: TableSpec = {
  key: '',
  form: 'one',
  description: 'What this machine is. These keys stand at the top of the file, before the first table.',
  keys: [
    {
      key: 'role',
      type: { kind: 'choice', values: ['site', 'relay', 'cloud'] },
      default: undefined,
      reload: 'restart',
      description: 'What this machine does in the chain.',
    },
    {
      key: 'name',
      type: { kind: 'name' },
      default: undefined,
      reload: 'restart',
      description: 'Name of this site, relay or cloud; a level of its topics.',
    },
    {
      key: 'tenant',
      type: { kind: 'name' },
      default: 'default',
      reload: 'restart',
      description: 'Whose network this is; a level of its topics.',
    },
    {
      key: 'log_level',
      type: { kind: 'choice', values: logLevels },
      default: 'notice',
      reload: 'live',
      description: 'How much is told, from little to much.',
    },
  ],
  tables: [
    brokerTable,
    persistenceTable,
    listenerTable,
    bridgeTable,
    platformTable,
    alarmTable,
    commandsTable,
    metricsTable,
  ],
};

import { mib, type TableSpec } from './key-type.ts';

/** What a broker keeps over a restart or a crash. */
export const persistenceTable: TableSpec = {
  key: 'persistence',
  form: 'one',
  description:
    'What is acknowledged is on disk: sessions, queues, messages under way, retained messages and wills outlive a crash.',
  tables: [],
  keys: [
    {
      key: 'enabled',
      type: { kind: 'boolean' },
      default: true,
      reload: 'restart',
      description: 'False: all of it is kept in memory and lost with the process.',
    },
    {
      key: 'folder',
      type: { kind: 'path' },
      default: 'journal',
      reload: 'restart',
      description: 'Folder of the journal. One broker at a time may use it.',
    },
    {
      key: 'maximum_size',
      type: { kind: 'size', minimum: 0, maximum: 2 ** 50 },
      default: 4096 * mib,
      reload: 'restart',
      description:
        'Disk space that the journal may take. At the bound publishers are refused until there is room again. 0 = no bound.',
    },
  ],
};

import { hour, minute, second, type TableSpec } from './key-type.ts';

/** Readings into a database, alarms, API and screen. */
export const platformTable: TableSpec = {
  key: 'platform',
  form: 'one',
  description:
    'Readings into a database, alarms, API and screen. Without this table the machine does none of that.',
  tables: [
    {
      key: 'site_addresses',
      form: 'map',
      description:
        'The site address in the topics of legacy detectors (`outTopic/23.17.224.11/…`) = the name of that site.',
      keys: [],
      tables: [],
      values: { kind: 'name' },
    },
    {
      key: 'device_names',
      form: 'map',
      description:
        'Names for people: a device id or MAC address = where the device is (`"5C:CF:7F:14:18:AD" = "boiler room"`).',
      keys: [],
      tables: [],
      values: { kind: 'text' },
    },
  ],
  keys: [
    {
      key: 'store_file',
      type: { kind: 'path' },
      default: undefined,
      reload: 'restart',
      description: 'Database file (SQLite).',
    },
    {
      key: 'broker_socket',
      type: { kind: 'path' },
      default: undefined,
      reload: 'restart',
      description: "The Unix socket of this machine's own broker: the `path` of one of its listeners.",
    },
    {
      key: 'api_address',
      type: { kind: 'text' },
      default: '127.0.0.1',
      reload: 'restart',
      description: 'Address of the screen and the API. A loopback address: the screen has no sign-in yet.',
    },
    {
      key: 'api_port',
      type: { kind: 'integer', minimum: 0, maximum: 65_535 },
      default: 8080,
      reload: 'restart',
      description: 'Port of the screen and the API; 0 takes any free one.',
    },
    {
      key: 'approved_devices',
      type: { kind: 'list', of: { kind: 'device' } },
      default: [],
      reload: 'live',
      description: 'MAC addresses or ids of devices that are approved from the start.',
    },
    {
      key: 'warm_up',
      type: { kind: 'duration', unit: 'ms', minimum: 0, maximum: 24 * hour },
      default: 3 * minute,
      reload: 'live',
      description: "Time after its hello in which a detector's readings are not believed.",
    },
    {
      key: 'warm_proof',
      type: { kind: 'duration', unit: 'ms', minimum: 0, maximum: 24 * hour },
      default: 5 * second,
      reload: 'live',
      description: 'A detector that reads 0 this long after its hello is warm: a cold one reads 1 first.',
    },
    {
      key: 'silent_after_intervals',
      type: { kind: 'number', minimum: 1, maximum: 1000 },
      default: 3,
      reload: 'live',
      description: 'A device is silent when nothing came for so many of its intervals.',
    },
    {
      key: 'silent_minimum',
      type: { kind: 'duration', unit: 'ms', minimum: 0, maximum: 24 * hour },
      default: 10 * second,
      reload: 'live',
      description: 'And for this long at least.',
    },
    {
      key: 'batch_rows',
      type: { kind: 'integer', minimum: 1, maximum: 100_000 },
      default: 2000,
      reload: 'live',
      description: 'Rows that one commit takes at most.',
    },
    {
      key: 'batch_delay',
      type: { kind: 'duration', unit: 'ms', minimum: 0, maximum: minute },
      default: 20,
      reload: 'live',
      description: 'How long a row waits for others to share its commit.',
    },
    {
      key: 'quarantine_rows',
      type: { kind: 'integer', minimum: 0, maximum: 10_000_000 },
      default: 1000,
      reload: 'live',
      description: 'Unreadable messages that are kept for a person to look at; beyond, the oldest go.',
    },
    {
      key: 'demo_control',
      type: { kind: 'path' },
      default: null,
      reload: 'restart',
      description: "Socket of the demo's leak control; not for real sites.",
    },
  ],
};

/** A rule that raises an alarm. */
export const alarmTable: TableSpec = {
  key: 'alarm',
  form: 'many',
  description:
    'A rule that raises an alarm. Where none stands in the file there is one all the same: `gas`, when a detector reads 1, at once, priority 1.',
  tables: [],
  keys: [
    {
      key: 'name',
      type: { kind: 'name' },
      default: undefined,
      reload: 'live',
      description: 'Name of the rule; unique.',
    },
    {
      key: 'metric',
      type: { kind: 'text' },
      default: undefined,
      reload: 'live',
      description: 'What is judged: `gas`, `temperature`, …',
    },
    {
      key: 'set_point',
      type: { kind: 'number', minimum: -1e12, maximum: 1e12 },
      default: undefined,
      reload: 'live',
      description: 'The alarm is raised at or above this value.',
    },
    {
      key: 'deadband',
      type: { kind: 'number', minimum: 0, maximum: 1e12 },
      default: null,
      defaultText: 'a fifth of `set_point`',
      reload: 'live',
      description: 'How far below `set_point` the value must fall to be normal again.',
    },
    {
      key: 'on_delay',
      type: { kind: 'duration', unit: 'ms', minimum: 0, maximum: hour },
      default: 0,
      reload: 'live',
      description: 'How long the value must stand before the alarm is raised.',
    },
    {
      key: 'off_delay',
      type: { kind: 'duration', unit: 'ms', minimum: 0, maximum: hour },
      default: 5 * second,
      reload: 'live',
      description: 'How long the value must be low before the alarm returns to normal.',
    },
    {
      key: 'priority',
      type: { kind: 'choice', values: [1, 2, 3, 4] },
      default: 2,
      reload: 'live',
      description: '1 critical, 2 high, 3 medium, 4 low.',
    },
  ],
};

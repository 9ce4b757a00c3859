import type { TableSpec } from './key-type.ts';

/** Where Prometheus and health probes ask. */
export const metricsTable: TableSpec = {
  key: 'metrics',
  form: 'one',
  description:
    'An HTTP endpoint for monitoring: `/metrics` for Prometheus, `/healthz` and `/readyz` for probes. Without this table there is none.',
  tables: [],
  keys: [
    {
      key: 'address',
      type: { kind: 'text' },
      default: '127.0.0.1',
      reload: 'live',
      description: 'Address to listen on; one that other machines reach should go with a token.',
    },
    {
      key: 'port',
      type: { kind: 'integer', minimum: 0, maximum: 65_535 },
      default: undefined,
      reload: 'live',
      description:
        'Port; 0 takes any free one. A change of the address alone, on the same port, takes a restart.',
    },
    {
      key: 'token_file',
      type: { kind: 'path' },
      default: null,
      reload: 'live',
      description:
        'Its first line is the bearer token that `/metrics`, and the details of `/readyz`, are shown for. None: they are shown to everybody who reaches the port.',
    },
  ],
};

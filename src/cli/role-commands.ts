import type { CommandSpec } from './command.ts';
import type { SystemPort } from './ports.ts';

const summaries = {
  site: 'Run a site: takes detectors, checks commands, hands everything on to its relay',
  relay: 'Run a relay: ends the TLS of many sites and hands their topics on',
  cloud: 'Run a cloud: broker, database, alarms, API and screen of one tenant',
} as const;

/** `davylamp site|relay|cloud -c FILE`: one role, from its TOML file. */
export function roleCommands(system: SystemPort): readonly CommandSpec[] {
  return (['site', 'relay', 'cloud'] as const).map((role) => ({
    name: role,
    summary: summaries[role],
    options: [
      { name: 'config', short: 'c', value: 'FILE', summary: 'The configuration file (TOML)' },
      { name: 'check', summary: 'Read and check the file, then stop' },
    ],
    async run(args, context) {
      const file = args.required('config', 'FILE');
      if (!args.has('check')) return system.runRole(role, file);
      for (const line of await system.checkConfig(role, file)) context.print(line);
      context.print(`${file}: no error`);
      return 0;
    },
  }));
}

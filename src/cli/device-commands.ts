import type { CommandSpec } from './command.ts';
import type { SystemPort } from './ports.ts';

/** `davylamp detectors|agent -c FILE`: virtual detectors, and the host agent. */
export function deviceCommands(system: SystemPort): readonly CommandSpec[] {
  const config = { name: 'config', short: 'c', value: 'FILE', summary: 'What to run, as JSON' };
  return [
    {
      name: 'detectors',
      summary: 'Run virtual gas detectors that speak the legacy protocol',
      options: [config],
      run: (args) => system.runDetectors(args.required('config', 'FILE')),
    },
    {
      name: 'agent',
      summary: "Publish this machine's load, memory and temperature as readings",
      options: [config],
      run: (args) => system.runAgent(args.required('config', 'FILE')),
    },
  ];
}

import { usage, type CommandSpec, type OptionSpec } from './command.ts';
import type { DemoStatus, SystemPort } from './ports.ts';

const folderOption: OptionSpec = {
  name: 'data',
  value: 'DIR',
  summary: 'Folder of the demo (default: davylamp-demo here)',
};
const defaultFolder = 'davylamp-demo';

/** `davylamp demo`, `demo status` and `demo leak`: the whole chain on one machine. */
export function demoCommands(system: SystemPort): readonly CommandSpec[] {
  return [
    {
      name: 'demo',
      summary: 'Run the whole chain here: detectors, sites, relay, cloud, database, screen',
      options: [folderOption, { name: 'port', value: 'N', summary: 'First port to use (default: 8700)' }],
      run(args) {
        const firstPort = args.number('port', 1, 65_000);
        if (firstPort !== undefined && !Number.isInteger(firstPort))
          throw usage('demo', '--port takes a whole number');
        return system.runDemo({ folder: args.text('data') ?? defaultFolder, firstPort });
      },
    },
    {
      name: 'demo status',
      summary: 'Say where everything of the demo is',
      options: [folderOption, { name: 'json', summary: 'As JSON, for programs' }],
      async run(args, context) {
        const status = await system.demoStatus(args.text('data') ?? defaultFolder);
        if (args.has('json')) context.print(JSON.stringify(status, null, 2));
        else for (const line of statusLines(status)) context.print(line);
        return 0;
      },
    },
    {
      name: 'demo leak',
      summary: "Open or close a gas leak in a virtual detector's room",
      positionals: 'SITE/DETECTOR',
      options: [
        folderOption,
        { name: 'rate', value: 'L/H', summary: 'Litres of gas an hour (default: 150, a burner left open)' },
        { name: 'close', summary: 'Close the leak; the room airs' },
      ],
      async run(args, context) {
        const [site, detector, rest] = (args.positionals[0] ?? '').split('/');
        if (
          site === undefined ||
          site === '' ||
          detector === undefined ||
          detector === '' ||
          rest !== undefined
        ) {
          throw usage('demo leak', 'name the detector as SITE/DETECTOR, for example north/d1');
        }
        const rate = args.has('close') ? 0 : (args.number('rate', 0.1, 100_000) ?? 150);
        context.print(await system.demoLeak(args.text('data') ?? defaultFolder, site, detector, rate));
        return 0;
      },
    },
  ];
}

function statusLines(status: DemoStatus): readonly string[] {
  return [
    status.running ? 'The demo is running.' : 'The demo is not running.',
    `screen  ${status.screen}`,
    ...status.sites.map(
      (site) => `site    ${site.name}: ${site.host}:${site.port}, user ${site.username} (password: --json)`,
    ),
    `relay   ${status.relay.host}:${status.relay.port} (TLS, client certificate)`,
    `cloud   ${status.cloud.host}:${status.cloud.port} (TLS, client certificate ${status.cloud.cert}, user ${status.cloud.username})`,
    `store   ${status.store}`,
    ...status.processes.map(
      (one) => `process ${one.name}: ${one.pid === null ? 'not running' : `pid ${one.pid}`}, ${one.config}`,
    ),
  ];
}

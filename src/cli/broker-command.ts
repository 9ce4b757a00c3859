import type { CommandSpec, ParsedArgs } from './command.ts';
import { usage } from './command.ts';
import type { BrokerRunOptions, SystemPort } from './ports.ts';

/** `davylamp broker`: an MQTT broker alone, from the file and with the options of Mosquitto's. */
export function brokerCommand(system: SystemPort): CommandSpec {
  return {
    name: 'broker',
    summary: 'Run a broker alone from a mosquitto.conf, as a replacement for mosquitto',
    options: [
      {
        name: 'config-file',
        short: 'c',
        value: 'FILE',
        summary: 'The configuration file (mosquitto.conf); without one: loopback only, everybody may connect',
      },
      {
        name: 'port',
        short: 'p',
        value: 'PORT',
        summary: 'Listen on this port of loopback, where the file opens no listener (default: 1883)',
      },
      { name: 'verbose', short: 'v', summary: 'Log everything, whatever the file says (log_type all)' },
      { name: 'quiet', short: 'q', summary: 'Log nothing, whatever the file and --verbose say' },
      { name: 'daemon', short: 'd', summary: 'Go on in the background as soon as it listens' },
      { name: 'test-config', summary: 'Read and check the file, then stop' },
      {
        name: 'tls-keylog',
        value: 'FILE',
        summary: 'Append the secrets of TLS sessions to FILE, for a protocol analyser; for tests only',
      },
    ],
    notes: [
      'Signals: TERM and INT end it cleanly (exit code 0), HUP reads the configuration again and reopens the log files.',
      'Without --config-file and listeners it is reached from this machine only.',
    ],
    async run(args, context) {
      const options = optionsOf(args);
      if (!args.has('test-config')) return system.runBroker(options);
      if (options.configFile === undefined) throw usage('broker', '--test-config needs --config-file FILE');
      for (const line of await system.checkBroker(options)) context.print(line);
      context.print(`${options.configFile}: no error`);
      return 0;
    },
  };
}

function optionsOf(args: ParsedArgs): BrokerRunOptions {
  const port = args.number('port', 1, 65_535);
  if (port !== undefined && !Number.isInteger(port))
    throw usage('broker', `--port takes a whole number, not '${port}'`);
  return {
    configFile: args.text('config-file'),
    port,
    verbose: args.has('verbose'),
    quiet: args.has('quiet'),
    daemon: args.has('daemon'),
    tlsKeyLog: args.text('tls-keylog'),
  };
}

import type { CommandSpec } from '../command.ts';
import { toolOptions, type ToolName } from './options.ts';
import type { MqttToolsPort } from './ports.ts';
import { runPublish } from './publish.ts';
import { runRequest } from './request.ts';
import { runSubscribe } from './subscribe.ts';
import { runTool, type ToolSession } from './tool-session.ts';

interface Tool {
  readonly summary: string;
  readonly run: (session: ToolSession) => Promise<number>;
  readonly notes: readonly string[];
}

const exitCodes =
  'Exit codes: 0 done, 1 could not run or wrong usage, 7 the connection was lost, 27 timed out (-W),';
const brokerCodes = '1 to 5 and 128 to 162 the broker refused the connection (the code of its CONNACK).';

const tools: Readonly<Record<ToolName, Tool>> = {
  pub: {
    summary: 'Publish messages, with the options of mosquitto_pub',
    run: runPublish,
    notes: [
      'Defaults are read from ~/.config/mosquitto_pub ($XDG_CONFIG_HOME), an option and its value on a line.',
      exitCodes,
      brokerCodes,
    ],
  },
  sub: {
    summary: 'Subscribe and print messages, with the options of mosquitto_sub',
    run: runSubscribe,
    notes: [
      'Defaults are read from ~/.config/mosquitto_sub ($XDG_CONFIG_HOME), an option and its value on a line.',
      exitCodes,
      brokerCodes,
    ],
  },
  rr: {
    summary: 'Publish a request and print the response, with the options of mosquitto_rr',
    run: runRequest,
    notes: [
      'Defaults are read from ~/.config/mosquitto_rr ($XDG_CONFIG_HOME), an option and its value on a line.',
      exitCodes,
      brokerCodes,
    ],
  },
};

/** `davylamp pub|sub|rr`: the habits of mosquitto_pub, mosquitto_sub and mosquitto_rr. */
export function mqttCommands(openPort: () => Promise<MqttToolsPort>): readonly CommandSpec[] {
  return (['pub', 'sub', 'rr'] as const).map((name) => ({
    name,
    summary: tools[name].summary,
    options: toolOptions(name),
    readsOwnWords: true,
    notes: tools[name].notes,
    run: async (args) => runTool(name, args.positionals, await openPort(), tools[name].run),
  }));
}

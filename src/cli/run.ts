import { DavylampError, messageOf } from '#base';
import {
  helpOption,
  nearest,
  parseCommandArgs,
  type CommandContext,
  type CommandSpec,
  type OptionSpec,
} from './command.ts';
import { brokerCommand } from './broker-command.ts';
import { demoCommands } from './demo-commands.ts';
import { deviceCommands } from './device-commands.ts';
import { journalCommands } from './journal-commands.ts';
import { mqttCommands } from './mqtt/commands.ts';
import { passwdCommand } from './passwd.ts';
import type { SystemPort } from './ports.ts';
import { roleCommands } from './role-commands.ts';

/** All commands, in the order of the help. */
export function allCommands(system: SystemPort): readonly CommandSpec[] {
  return [
    ...demoCommands(system),
    ...roleCommands(system),
    brokerCommand(system),
    ...mqttCommands(() => system.openMqttTools()),
    passwdCommand(() => system.openPasswdTools()),
    ...deviceCommands(system),
    ...journalCommands(system),
  ];
}

/**
 * Runs one command line (without the program's name) and returns the exit code: 0 done, 1 could not run, 2 wrong
 * usage, 3 wrong configuration. An error is one line on standard error.
 */
export async function runCommandLine(
  argv: readonly string[],
  system: SystemPort,
  context: CommandContext,
): Promise<number> {
  try {
    const first = argv[0];
    if (first === undefined || first === 'help' || first === '--help' || first === '-h') {
      context.print(overview(allCommands(system)));
      return first === undefined ? 2 : 0;
    }
    if (first === '--version' || first === 'version') {
      context.print(`davylamp ${system.version}`);
      return 0;
    }
    const { command, rest } = findCommand(argv, allCommands(system));
    if (rest.some((word) => word === '--help' || (word === '-h' && command.readsOwnWords !== true))) {
      context.print(commandHelp(command));
      return 0;
    }
    return await command.run(parseCommandArgs(command, rest), context);
  } catch (error) {
    const known = error instanceof DavylampError;
    // A configuration may have several faults: a line each.
    context.printError(known ? error.message : `davylamp: unexpected error (BUG): ${messageOf(error)}`);
    if (!known && error instanceof Error && error.stack !== undefined) context.printError(error.stack);
    return known ? error.exitCode : 1;
  }
}

/** The longest command name that the words begin with. */
function findCommand(
  argv: readonly string[],
  commands: readonly CommandSpec[],
): { command: CommandSpec; rest: readonly string[] } {
  for (const length of [2, 1]) {
    const name = argv.slice(0, length).join(' ');
    const command = commands.find((candidate) => candidate.name === name);
    if (command !== undefined && argv.length >= length) return { command, rest: argv.slice(length) };
  }
  const word = argv[0] ?? '';
  const near = nearest(
    word,
    commands.map((command) => command.name),
  );
  throw new DavylampError(
    'USAGE',
    `davylamp: unknown command '${word}'${near === undefined ? '' : `; did you mean '${near}'?`}; 'davylamp --help' lists the commands`,
  );
}

function overview(commands: readonly CommandSpec[]): string {
  const width = Math.max(...commands.map((command) => command.name.length)) + 2;
  return [
    'Usage: davylamp <command> [options]',
    '',
    'Commands:',
    ...commands.map((command) => `  ${command.name.padEnd(width)}${command.summary}`),
    '',
    "'davylamp <command> --help' shows a command's options.",
    'Exit codes: 0 done, 1 could not run, 2 wrong usage, 3 wrong configuration.',
  ].join('\n');
}

/** The help of one command; `docs/reference/command-line.md` holds the same text. */
export function commandHelp(command: CommandSpec): string {
  const isOwn = command.readsOwnWords === true;
  const options = [
    ...command.options,
    isOwn ? { name: helpOption.name, summary: helpOption.summary } : helpOption,
  ];
  const width = Math.max(...options.map((option) => label(option).length)) + 2;
  return [
    `Usage: davylamp ${command.name} [options]${command.positionals === undefined ? '' : ` ${command.positionals}`}`,
    '',
    command.summary,
    '',
    'Options:',
    ...options.map((option) => `  ${label(option).padEnd(width)}${option.summary}`),
    ...(command.notes === undefined ? [] : ['', ...command.notes]),
  ].join('\n');
}

/** `-s, --name VALUE`; a form that does not exist leaves its place empty. */
function label({ name, short, isShortOnly, value }: OptionSpec): string {
  const shortForm = short === undefined ? '    ' : `-${short}`;
  const forms =
    isShortOnly === true ? shortForm : `${short === undefined ? shortForm : `${shortForm}, `}--${name}`;
  return value === undefined ? forms : `${forms} ${value}`;
}

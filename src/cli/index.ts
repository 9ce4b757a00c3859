/** Level 4: the command line. Reads arguments, calls the system through `SystemPort`, prints. */
export { allCommands, commandHelp, runCommandLine } from './run.ts';
export type { CommandContext, CommandSpec } from './command.ts';
export type { DemoOptions, DemoStatus, SystemPort } from './ports.ts';

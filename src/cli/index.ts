/** Level 4: the command line. Reads arguments, calls the system through `SystemPort`, prints. */
export { allCommands, commandHelp, runCommandLine } from './run.ts';
export type { CommandContext, CommandSpec } from './command.ts';
export type { BrokerRunOptions, DemoOptions, DemoStatus, JournalInspection, SystemPort } from './ports.ts';
export type { BrokerTarget, MqttToolsPort, ToolInput, ToolOutput, ToolTls } from './mqtt/ports.ts';
export type { PasswdPort } from './passwd.ts';

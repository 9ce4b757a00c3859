import process from 'node:process';
import { DavylampError, SystemClock, messageOf } from '#base';
import type { BrokerRunOptions } from '#cli';
import type { Config } from '#config';
import { openLog, type RoleLog } from '../logging.ts';
import { SignalWatch, reportReady, waitForStop } from '../stop-signal.ts';
import { warningLine } from '../warning-line.ts';
import { brokerConfigSource } from './broker-config.ts';
import { brokerLines } from './broker-lines.ts';
import { isDaemon, startDaemon, tellStarter } from './daemon.ts';
import { KeyLog } from './key-log.ts';
import { unreadableFiles } from './later-readable.ts';
import { writePidFile } from './pid-file.ts';
import { Privileges } from './privileges.ts';
import { notifySystemd } from './systemd.ts';

/**
 * `davylamp broker -c mosquitto.conf`: runs until SIGINT or SIGTERM, ends with 0 after a clean stop. With `daemon` it ends
 * with 0 as soon as a process in the background runs, or with that one's error.
 */
export async function runBroker(
  options: BrokerRunOptions,
  version: string,
  printError: (line: string) => void,
): Promise<number> {
  if (!isDaemon()) {
    if (!options.daemon) return run(options, version);
    await startDaemon(printError);
    return 0;
  }
  try {
    return await run(options, version);
  } catch (error) {
    const code = error instanceof DavylampError ? error.code : 'BUG';
    await tellStarter({ kind: 'failed', code, message: messageOf(error) });
    throw error;
  }
}

/** `--test-config`: reads and checks; the lines say what was noticed. Rejects as the start would. */
export async function checkBrokerConfig(options: BrokerRunOptions): Promise<readonly string[]> {
  const { warnings } = await brokerConfigSource(options).read();
  return warnings.map(warningLine);
}

async function run(options: BrokerRunOptions, version: string): Promise<number> {
  const stop = waitForStop({ isDaemon: isDaemon() });
  using signals = new SignalWatch();
  try {
    const source = brokerConfigSource(options);
    const { config, warnings } = await source.read();
    // Only now: a wrong configuration is told of at once.
    const { RunningRole, answersOf } = await import('../role.ts');
    await using stack = new AsyncDisposableStack();
    const privileges = Privileges.drop(config.runAs);
    const log = stack.adopt(await openLog(config, new SystemClock()), (opened) => opened.close());
    stack.use(watchCrash(log));
    await tellWarnings([...warnings.map(warningLine), ...privileges.warnings], log);
    const lines = brokerLines(log, version);
    lines.starting(options.configFile);
    const running = await toldOfFailure(log, async () => {
      const context = await openFiles(options, config, log, stack);
      const role = { clock: new SystemClock(), log, version, privileges, ...context };
      return stack.use(await RunningRole.start(config, role));
    });
    privileges.dropForGood();
    lines.running();
    for (const file of await unreadableFiles(config))
      log.logger.warning(`${file} can be read by root alone; a reload will not be able to`);
    signals.serve(answersOf(running, source, log.logger));
    await notifySystemd('READY=1', log.logger);
    if (isDaemon()) await tellStarter({ kind: 'ready' });
    else reportReady();
    await stop.signalled;
    await signals.retire();
    lines.terminating();
  } finally {
    stop.release();
  }
  return 0;
}

/** Writes the pid file and opens the TLS key log, where they are asked for; `stack` undoes it. */
async function openFiles(
  { tlsKeyLog }: BrokerRunOptions,
  { pidFile }: Config,
  { logger }: RoleLog,
  stack: AsyncDisposableStack,
): Promise<{ keyLog?: (line: Buffer) => void }> {
  if (pidFile !== undefined) stack.use(await writePidFile(pidFile));
  if (tlsKeyLog === undefined) return {};
  const keys = stack.use(await KeyLog.open(tlsKeyLog, logger));
  return { keyLog: (line) => keys.write(line) };
}

async function tellWarnings(warnings: readonly string[], { logger }: RoleLog): Promise<void> {
  for (const warning of warnings) {
    logger.warning(warning);
    // Standard error is /dev/null there.
    if (isDaemon()) await tellStarter({ kind: 'line', line: `Warning: ${warning}` });
  }
}

/** Why a start has failed stands in the log as well, not only on standard error, where the command line tells it. */
async function toldOfFailure<T>({ mosquitto }: RoleLog, start: () => Promise<T>): Promise<T> {
  try {
    return await start();
  } catch (error) {
    if (mosquitto?.isOnStandardError === false) mosquitto.line('error', `Error: ${messageOf(error)}`);
    throw error;
  }
}

/** A fault of ours that ends the process leaves its trace in log files too: standard error may be nobody's. */
function watchCrash({ mosquitto }: RoleLog): Disposable {
  const onCrash = (error: Error): void => {
    const trace = (error.stack ?? error.message).replaceAll(/\s*\n\s*/g, ' | ');
    mosquitto?.lineNow(`Error: BUG, please report it: ${trace}`);
  };
  process.on('uncaughtExceptionMonitor', onCrash);
  return { [Symbol.dispose]: () => process.off('uncaughtExceptionMonitor', onCrash) };
}

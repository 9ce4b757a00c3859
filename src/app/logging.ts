import { writeSync } from 'node:fs';
import { LineLogger, logLevels, type Clock, type LogLevel, type Logger } from '#base';
import type { Config } from '#config';
import { MosquittoLog } from './broker/mosquitto-log.ts';
import type { PreparedChange } from './broker/prepared-change.ts';

const standardError = 2;

/** Lines on standard error, written at once: a line that is logged just before the end is not lost. */
export function createLogger(clock: Clock, level: LogLevel): Logger {
  return new LineLogger({
    clock,
    level,
    write: (line) => {
      try {
        writeSync(standardError, line);
      } catch {
        // Nobody reads standard error any more; the work goes on.
      }
    },
  });
}

/** The log of a running role. */
export interface RoleLog {
  readonly logger: Logger;
  /** Where the log has Mosquitto's form. */
  readonly mosquitto: MosquittoLog | null;
  /** Prepares other levels and destinations, and opens log files anew. Rejects with `FILE_UNWRITABLE`. */
  prepare(config: Config): Promise<PreparedChange>;
  /** Resolves when the last lines are written. */
  close(): Promise<void>;
}

/** Opens the log that the configuration asks for. */
export async function openLog(config: Config, clock: Clock): Promise<RoleLog> {
  const { mosquittoLog } = config;
  if (mosquittoLog === undefined) return ownForm(config, clock);
  const log = new MosquittoLog(mosquittoLog, clock);
  await log.start();
  return {
    logger: log.logger(),
    mosquitto: log,
    prepare: (next) => log.prepare(next.mosquittoLog ?? mosquittoLog),
    close: () => log.close(),
  };
}

function ownForm(config: Config, clock: Clock): RoleLog {
  const gate = { level: config.logLevel };
  return {
    logger: gated(createLogger(clock, 'debug'), gate),
    mosquitto: null,
    prepare: ({ logLevel }) =>
      Promise.resolve({
        warnings: [],
        commit: () => (gate.level = logLevel),
        abort: () => Promise.resolve(),
      }),
    close: () => Promise.resolve(),
  };
}

/** A logger whose level can be changed, for its children too. */
function gated(logger: Logger, gate: { readonly level: LogLevel }): Logger {
  const isShown = (level: LogLevel): boolean => logLevels.indexOf(level) <= logLevels.indexOf(gate.level);
  return {
    error: (message, fields) => isShown('error') && logger.error(message, fields),
    warning: (message, fields) => isShown('warning') && logger.warning(message, fields),
    notice: (message, fields) => isShown('notice') && logger.notice(message, fields),
    info: (message, fields) => isShown('info') && logger.info(message, fields),
    debug: (message, fields) => isShown('debug') && logger.debug(message, fields),
    child: (name) => gated(logger.child(name), gate),
  };
}

import { writeSync } from 'node:fs';
import { LineLogger, type Clock, type LogLevel, type Logger } from '#base';

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

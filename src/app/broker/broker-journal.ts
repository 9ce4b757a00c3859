import type { Clock, Logger } from '#base';
import type { Journal, StateSource } from '#broker';
import type { Config } from '#config';
import { MemoryJournal, openJournal, type JournalStatistics } from '#journal';

/** A journal that is open, until `close` is called: after the broker's last record. */
export interface OpenedJournal {
  readonly journal: Journal;
  /** What it tells of itself; `null` = there is nothing to tell. */
  readonly report: StateSource | null;
  /** What it counts; `null` = there is nothing on disk. */
  statistics(): JournalStatistics | null;
  close(): Promise<void>;
}

/**
 * The one place where `Config.persistence` becomes a journal. Rejects with `JOURNAL_UNUSABLE`: a broker that has
 * forgotten everything does not start by mistake.
 */
export async function openBrokerJournal(config: Config, clock: Clock, log: Logger): Promise<OpenedJournal> {
  const { persistence = null } = config;
  if (persistence === null)
    return {
      journal: new MemoryJournal(),
      report: null,
      statistics: () => null,
      close: () => Promise.resolve(),
    };
  const { folder, maximumBytes } = persistence;
  const journal = await openJournal({
    folder,
    clock,
    log: log.child('journal'),
    maximumBytes: maximumBytes === 0 ? Infinity : maximumBytes,
  });
  return {
    journal,
    report: () => journalReport(journal.statistics),
    statistics: () => journal.statistics,
    close: () => journal.close(),
  };
}

/** Under `$SYS/broker/davylamp/journal/`. */
function journalReport(statistics: JournalStatistics): Iterable<readonly [string, string | number]> {
  return Object.entries(statistics).map(([name, value]: [string, string | number]) => {
    const topic = name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    const shown = typeof value === 'number' && !Number.isInteger(value) ? value.toFixed(2) : value;
    return [`journal/${topic}`, shown] as const;
  });
}

import { DavylampError, type Clock, type Logger } from '#base';
import type { Journal } from '#broker';
import { MemoryJournal, openJournal } from '#journal';
import type { BrokerOptions } from './options.ts';

/** A journal that is used until `close`: after the broker's last record. */
export interface Kept {
  readonly journal: Journal;
  close(): Promise<void>;
}

/**
 * What the options say must survive a restart. `defaultBytes` is the bound of a journal that names none. Rejects with
 * `JOURNAL_UNUSABLE`, and with `CONFIG_INVALID` for options that contradict each other.
 */
export async function openKept(
  { persistence, journal }: BrokerOptions,
  context: { readonly clock: Clock; readonly log: Logger; readonly defaultBytes: number },
): Promise<Kept> {
  if (persistence === undefined)
    return { journal: journal ?? new MemoryJournal(), close: () => Promise.resolve() };
  if (journal !== undefined)
    throw new DavylampError('CONFIG_INVALID', 'persistence and journal are two ways of the same; give one');
  const { folder, maximumBytes = context.defaultBytes } = persistence;
  const { clock, log } = context;
  const opened = await openJournal({
    folder,
    clock,
    log: log.child('journal'),
    maximumBytes: maximumBytes === 0 ? Infinity : maximumBytes,
  });
  return { journal: opened, close: () => opened.close() };
}

import { closeSync, mkdirSync, openSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { DavylampError, type Clock, type Logger } from '#base';
import { FileJournal } from './file-journal.ts';
import { syncFolderNow, writeMarker } from './folder.ts';
import { JournalIndex } from './index/journal-index.ts';
import { journalError } from './journal-error.ts';
import { lockFolder } from './lock.ts';
import { Cleaner } from './log/cleaner.ts';
import { DeliveryReader } from './log/delivery-reader.ts';
import { systemFiles, type LogFiles } from './log/log-files.ts';
import { LogWriter } from './log/log-writer.ts';
import { Reserve } from './log/reserve.ts';
import { createSalt, createSegment, unfinished } from './log/segment-files.ts';
import { segmentNames } from './folder.ts';
import { migrate, migrations, type Migration } from './migrations.ts';
import { recover, type Recovered } from './recover.ts';

const mebibyte = 1024 * 1024;

/** How a journal is opened. */
export interface JournalOptions {
  /** Made with mode 0700 when it is not there; nothing else may be in it. */
  readonly folder: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Bytes of the log at which it is `full`. Default 8 GiB. */
  readonly maximumBytes?: number;
  /** Bytes of a file of the log, about. Default 64 MiB, at most a sixteenth of `maximumBytes`. */
  readonly segmentBytes?: number;
  /** Bytes in memory that wait for the disk, at which it is `full`. Default 64 MiB. */
  readonly maximumPendingBytes?: number;
  /**
   * Bytes that are kept free on the disk for what makes room when it is full: more than comes in during one commit.
   * Default a quarter of a segment.
   */
  readonly reserveBytes?: number;
  /** The file system; a test makes it fail. */
  readonly files?: LogFiles;
  /** Steps from older versions; a test has its own. */
  readonly migrations?: readonly Migration[];
}

/**
 * Opens the journal in a folder, or makes one, keeps other processes out and reads what an earlier run left. Rejects
 * with `JOURNAL_UNUSABLE`: the folder cannot be used, another process has it, the files are of another version or
 * damaged before the last good commit. What a crash left behind that is cut off and told in the log.
 */
export async function openJournal(options: JournalOptions): Promise<FileJournal> {
  const folder = path.resolve(options.folder);
  let unlock = (): void => {};
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    unlock = lockFolder(folder);
    removeUnfinished(folder);
    if (!migrate(folder, options.migrations ?? migrations)) await createFirst(folder, options);
    if (segmentNames(folder).length === 0) {
      throw new DavylampError(
        'JOURNAL_UNUSABLE',
        `journal ${folder}: all its files are missing; bring them back, or remove the folder to begin with nothing`,
      );
    }
    const journal = assemble(folder, options, unlock);
    writeMarker(folder);
    return journal;
  } catch (error) {
    unlock();
    throw journalError(folder, 'open it', error);
  }
}

function assemble(folder: string, options: JournalOptions, unlock: () => void): FileJournal {
  const { clock, log } = options;
  const begin = clock.monotonic();
  const index = new JournalIndex();
  const recovered = recover(folder, index);
  const { segments, salt, headLsn } = recovered;
  const maximumBytes = options.maximumBytes ?? 8192 * mebibyte;
  const segmentBytes = Math.min(options.segmentBytes ?? 64 * mebibyte, Math.ceil(maximumBytes / 16));
  const files = options.files ?? systemFiles;
  const writer = new LogWriter({
    folder,
    files,
    clock,
    reserve: new Reserve(files, folder, options.reserveBytes ?? Math.ceil(segmentBytes / 4)),
    segments,
    fd: openSync(segments.tail!.file, 'r+'),
    salt,
    headLsn,
    segmentBytes,
    maximumBytes,
    maximumPendingBytes: options.maximumPendingBytes ?? 64 * mebibyte,
    onCommitted: (bytes) => journal.committed(bytes),
    onState: (state, reason) => journal.stateChanged(state, reason),
  });
  const onDamage = (file: string, what: string): void =>
    log.error(
      `journal ${folder}: ${path.basename(file)} ${what}; it is kept and nothing is tidied up any more`,
    );
  const cleaner = new Cleaner({ files, index, segments, writer, salt, segmentBytes, maximumBytes, onDamage });
  const reader = new DeliveryReader({ folder, files, index, segments, writer });
  const journal = new FileJournal({ folder, log, index, segments, writer, cleaner, reader, unlock });
  index.account(writer);
  writer.start();
  cleaner.start();
  tell(folder, log, recovered, index, clock.monotonic() - begin);
  return journal;
}

function tell(folder: string, log: Logger, recovered: Recovered, index: JournalIndex, ms: number): void {
  const { cut, orphans, segments } = recovered;
  log.info(`journal ${folder} is read`, {
    milliseconds: Math.round(ms),
    bytes: segments.bytes,
    sessions: index.sessions.size,
    queued: index.deliveryCount,
    retained: index.retained.size,
  });
  if (cut !== null) {
    const file = path.basename(cut.file);
    log.warning(`journal ${folder}: a write that was interrupted is cut off at the end of ${file}`, {
      bytes: cut.bytes,
    });
  }
  const { deliveries, sessions, retained } = orphans;
  if (deliveries + sessions + retained > 0)
    log.warning(`journal ${folder}: what a repair could not save is left out`, {
      deliveries,
      sessions,
      retained,
    });
}

async function createFirst(folder: string, options: JournalOptions): Promise<void> {
  const files = options.files ?? systemFiles;
  const { fd } = await createSegment(files, folder, 0, 0, createSalt(), options.clock.now());
  closeSync(fd);
}

/** Files that a crash kept from being finished; nothing of them counts. */
function removeUnfinished(folder: string): void {
  const names = readdirSync(folder).filter((name) => name.endsWith(unfinished));
  for (const name of names) rmSync(path.join(folder, name));
  if (names.length > 0) syncFolderNow(folder);
}

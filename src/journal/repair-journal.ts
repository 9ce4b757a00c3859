import {
  closeSync,
  copyFileSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { DavylampError } from '#base';
import { checkVersion, readHeader, segmentNames, syncFolderNow, writeMarker } from './folder.ts';
import { journalError } from './journal-error.ts';
import { lockFolder } from './lock.ts';
import { searchBatches } from './log/scan-segment.ts';
import { createSalt, unfinished } from './log/segment-files.ts';
import {
  BatchFlag,
  batchHeaderSize,
  encodeSegmentHeader,
  formatVersion,
  segmentHeaderSize,
  segmentName,
  writeBatchHeader,
  type SegmentHeader,
} from './records/format.ts';

/** What a repair did. */
export interface RepairReport {
  /** Commits that were saved, and their bytes. */
  readonly savedBatches: number;
  readonly savedBytes: number;
  /** Bytes that belong to no whole commit. */
  readonly lostBytes: number;
  /** Names of the files in which something was lost. */
  readonly damagedFiles: readonly string[];
  /** Where all files are kept as they were. */
  readonly keptIn: string;
}

/** A whole batch, and where its records stand. */
interface Saved {
  readonly file: string;
  readonly position: number;
  readonly length: number;
  readonly end: number;
}

/** A file, and from where on the next one counts. */
interface Source {
  readonly name: string;
  readonly file: string;
  readonly header: SegmentHeader;
  readonly nextBase: number;
  readonly isDamaged: boolean;
}

/**
 * Saves every whole commit of a damaged journal into a new file, and keeps the old files in a folder beside. A message
 * whose end was lost may be delivered once more. `now`: wall time in milliseconds. Throws `JOURNAL_UNUSABLE` when the
 * journal is in use, of another version, or has nothing that can be saved; then nothing has changed.
 */
export function repairJournal(folder: string, now: number): RepairReport {
  let unlock = (): void => {};
  try {
    unlock = lockFolder(folder);
    const sources = readSources(folder);
    const saved: Saved[] = [];
    const damagedFiles: string[] = [];
    let lostBytes = 0;
    let headLsn = 0;
    for (const source of sources) {
      const found = searchSource(source, saved);
      headLsn = Math.max(headLsn, found.headLsn);
      lostBytes += found.lostBytes;
      if (found.lostBytes > 0 || source.isDamaged) damagedFiles.push(source.name);
    }
    const needed = saved.filter(({ end }) => end > headLsn);
    const keptIn = path.join(folder, `damaged-${new Date(now).toISOString().replaceAll(':', '')}`);
    keepAside(sources, keptIn);
    const savedBytes = replaceBy(folder, sources, needed, now);
    return { savedBatches: needed.length, savedBytes, lostBytes, damagedFiles, keptIn };
  } catch (error) {
    throw journalError(folder, 'repair it', error);
  } finally {
    unlock();
  }
}

/** The files that count. One with a damaged header goes by its name and by what the others say. */
function readSources(folder: string): Source[] {
  const names = segmentNames(folder);
  const headers = names.map((name) => readHeader(path.join(folder, name)));
  for (const header of headers) if (typeof header !== 'string') checkVersion(folder, header.version);
  const sample = headers.find((header) => typeof header !== 'string');
  if (sample === undefined || typeof sample === 'string') {
    throw new DavylampError(
      'JOURNAL_UNUSABLE',
      `journal ${folder}: nothing in it can be saved; move the folder away to begin with nothing`,
    );
  }
  // A file that goes on from no other was made by an earlier repair: what is older has been replaced by it.
  const first = headers.findLastIndex(
    (header) => typeof header !== 'string' && header.base === header.previousBase,
  );
  const sources: Source[] = [];
  for (const [at, name] of names.entries()) {
    if (at < first) continue;
    const read = headers[at]!;
    const isDamaged = typeof read === 'string';
    const base = Number.parseInt(name, 16);
    const next = names[at + 1];
    sources.push({
      name,
      file: path.join(folder, name),
      header: isDamaged ? { ...sample, base, previousBase: base } : read,
      nextBase: next === undefined ? Infinity : Number.parseInt(next, 16),
      isDamaged,
    });
  }
  return sources;
}

function searchSource(source: Source, saved: Saved[]): { headLsn: number; lostBytes: number } {
  const { file, header, nextBase } = source;
  const fd = openSync(file, 'r');
  try {
    const end = Math.min(statSync(file).size, segmentHeaderSize + nextBase - header.base);
    let headLsn = 0;
    let goodBytes = 0;
    searchBatches(fd, header, segmentHeaderSize, (batch) => {
      const position = segmentHeaderSize + batch.lsn - header.base;
      if ((batch.flags & BatchFlag.Seal) !== 0 || batch.lsn >= nextBase) return;
      headLsn = Math.max(headLsn, batch.headLsn);
      goodBytes += batchHeaderSize + batch.length;
      const behind = batch.lsn + batchHeaderSize + batch.length;
      saved.push({ file, position: position + batchHeaderSize, length: batch.length, end: behind });
    });
    const seal = nextBase === Infinity ? 0 : Math.max(0, nextBase - header.base - (end - segmentHeaderSize));
    return { headLsn, lostBytes: end - segmentHeaderSize - goodBytes + seal };
  } finally {
    closeSync(fd);
  }
}

/** The same files under another folder too, so that whatever happens none is lost. */
function keepAside(sources: readonly Source[], keptIn: string): void {
  mkdirSync(keptIn, { recursive: true, mode: 0o700 });
  for (const { file, name } of sources) {
    const to = path.join(keptIn, name);
    try {
      linkSync(file, to);
    } catch {
      copyFileSync(file, to); // the file system knows no links
    }
  }
  syncFolderNow(keptIn);
}

/** Writes one new file behind all others, then removes these. Bytes of records. */
function replaceBy(folder: string, sources: readonly Source[], saved: readonly Saved[], now: number): number {
  const last = sources.at(-1)!;
  const base = last.header.base + statSync(last.file).size;
  const file = path.join(folder, segmentName(base));
  const salt = createSalt();
  const fd = openSync(`${file}${unfinished}`, 'w', 0o600);
  let lsn = base;
  try {
    const header = { version: formatVersion, base, previousBase: base, salt, createdAt: now };
    writeSync(fd, encodeSegmentHeader(header), 0, segmentHeaderSize, 0);
    for (const { file: from, position, length } of saved) {
      const batch = Buffer.alloc(batchHeaderSize + length);
      readInto(from, batch, position);
      writeBatchHeader(batch, { length, flags: 0, lsn, durableLsn: base, headLsn: base }, salt);
      writeSync(fd, batch, 0, batch.length, segmentHeaderSize + lsn - base);
      lsn += batch.length;
    }
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(`${file}${unfinished}`, file);
  syncFolderNow(folder);
  for (const name of segmentNames(folder))
    if (path.join(folder, name) !== file) rmSync(path.join(folder, name));
  writeMarker(folder);
  syncFolderNow(folder);
  return lsn - base;
}

function readInto(file: string, batch: Buffer, position: number): void {
  const fd = openSync(file, 'r');
  try {
    readSync(fd, batch, batchHeaderSize, batch.length - batchHeaderSize, position);
  } finally {
    closeSync(fd);
  }
}

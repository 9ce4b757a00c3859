import { closeSync, fsyncSync, openSync, readdirSync, readFileSync, readSync, writeSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { DavylampError, systemCodeOf } from '#base';
import { damageError } from './journal-error.ts';
import {
  decodeSegmentHeader,
  formatVersion,
  segmentHeaderSize,
  segmentName,
  type SegmentHeader,
} from './records/format.ts';

/** Tells a journal's folder from an empty one, and its version. */
const markerName = 'format';
const markerText = /^davylamp journal (\d+)\n$/;

/** A file of the log and what its header says. */
export interface SegmentFile {
  readonly file: string;
  readonly header: SegmentHeader;
}

/** Names of the segments in a folder, oldest first. */
export function segmentNames(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => /^[0-9a-f]{16}\.log$/.test(name))
    .sort();
}

/** The version that a folder is in; `null` = nothing is in it. Throws `JOURNAL_UNUSABLE` when it cannot be told. */
export function folderVersion(folder: string): number | null {
  const marked = readMarker(folder);
  if (marked !== null) return marked;
  const [first] = segmentNames(folder);
  if (first === undefined) return null;
  const header = readHeader(path.join(folder, first));
  if (typeof header === 'string') throw damageError(folder, first, header);
  return header.version;
}

/** `JOURNAL_UNUSABLE` unless this Davylamp writes this version. */
export function checkVersion(folder: string, version: number): void {
  if (version === formatVersion) return;
  const advice =
    version > formatVersion
      ? 'update Davylamp'
      : 'start the Davylamp that wrote it and let its queues run empty';
  throw new DavylampError(
    'JOURNAL_UNUSABLE',
    `journal ${folder}: it has version ${version}, this Davylamp writes version ${formatVersion}; ${advice}`,
  );
}

/** The header of a segment, or what is wrong with it. */
export function readHeader(file: string): SegmentHeader | string {
  const fd = openSync(file, 'r');
  try {
    const bytes = Buffer.alloc(segmentHeaderSize);
    const length = readSync(fd, bytes, 0, bytes.length, 0);
    const header = decodeSegmentHeader(bytes.subarray(0, length));
    if (typeof header === 'string' || header.version !== formatVersion) return header;
    return path.basename(file) === segmentName(header.base) ? header : 'bears the name of another file';
  } finally {
    closeSync(fd);
  }
}

/** The segments of a folder in order. Throws `JOURNAL_UNUSABLE` when a header is damaged. */
export function readSegments(folder: string): SegmentFile[] {
  return segmentNames(folder).map((name) => {
    const file = path.join(folder, name);
    const header = readHeader(file);
    if (typeof header === 'string') throw damageError(folder, name, header);
    checkVersion(folder, header.version);
    return { file, header };
  });
}

/** Notes that a journal is in this folder: from now on its segments are missed when they are gone. */
export function writeMarker(folder: string): void {
  if (readMarker(folder) === formatVersion) return;
  const fd = openSync(path.join(folder, markerName), 'w', 0o600);
  try {
    writeSync(fd, `davylamp journal ${formatVersion}\n`);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  syncFolderNow(folder);
}

/** Names in this folder are on the disk. */
export function syncFolderNow(folder: string): void {
  if (process.platform === 'win32') return; // folders cannot be opened there
  const fd = openSync(folder, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function readMarker(folder: string): number | null {
  let text: string;
  try {
    text = readFileSync(path.join(folder, markerName), 'utf8');
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return null;
    throw error;
  }
  const version = markerText.exec(text)?.[1];
  if (version === undefined) throw damageError(folder, markerName, 'does not name a version');
  return Number(version);
}

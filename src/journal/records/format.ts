import { crc32 } from 'node:zlib';

/**
 * The files of a journal; docs/reference/journal-format.md says the same in words.
 *
 *   segment  | header 64 | batch | batch | …            file name: the LSN of its first byte, 16 hex digits
 *   batch    | header 40 | record | record | …          one batch is whole or does not count
 *
 * An LSN (log sequence number) counts the bytes of all batches ever written; headers of segments do not count.
 */
export const formatVersion = 1;

export const segmentHeaderSize = 64;
export const batchHeaderSize = 40;

/** Bits of a batch's flags. */
export const BatchFlag = {
  /** The segment ends here: a later one exists. */
  Seal: 1,
} as const;

/** What a record says. Numbers are never reused. */
export const RecordType = {
  Session: 1,
  SessionState: 2,
  SessionEnded: 3,
  Subscription: 4,
  Unsubscription: 5,
  Message: 6,
  Queued: 7,
  Sent: 8,
  Received: 9,
  Done: 10,
  Incoming: 11,
  IncomingReleased: 12,
  Retained: 13,
  RetainedCleared: 14,
  Will: 15,
  WillCleared: 16,
} as const;
export type RecordType = (typeof RecordType)[keyof typeof RecordType];

/** `DAVYJRNL`. */
const segmentMagic = Buffer.from('DAVYJRNL', 'latin1');

/** `DAVB`, as the bytes in front of every batch. */
export const batchMagic = Buffer.from('DAVB', 'latin1');
const batchMagicNumber = batchMagic.readUInt32LE(0);

/** The first bytes of a segment. */
export interface SegmentHeader {
  readonly version: number;
  /** LSN of the first batch. */
  readonly base: number;
  /** `base` of the segment before; its own in the first one. */
  readonly previousBase: number;
  /** Random number of this journal: a payload that looks like a batch has another checksum. */
  readonly salt: number;
  /** Wall time in milliseconds. */
  readonly createdAt: number;
}

/** The first bytes of a batch. */
export interface BatchHeader {
  /** Bytes of its records. */
  readonly length: number;
  readonly flags: number;
  readonly lsn: number;
  /** Everything before this LSN was on the disk when the batch was written. */
  readonly durableLsn: number;
  /** Everything before this LSN is no longer needed. */
  readonly headLsn: number;
}

export function encodeSegmentHeader(header: SegmentHeader): Buffer {
  const bytes = Buffer.alloc(segmentHeaderSize);
  segmentMagic.copy(bytes);
  bytes.writeUInt32LE(header.version, 8);
  bytes.writeUInt32LE(segmentHeaderSize, 12);
  writeUint64(bytes, header.base, 16);
  writeUint64(bytes, header.previousBase, 24);
  bytes.writeUInt32LE(header.salt, 32);
  writeUint64(bytes, header.createdAt, 36);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 60)), 60);
  return bytes;
}

/** The header, or a sentence that says what is wrong with it. The version is looked at before the rest is trusted. */
export function decodeSegmentHeader(bytes: Buffer): SegmentHeader | string {
  if (bytes.length < segmentHeaderSize) return 'is shorter than its header';
  if (!bytes.subarray(0, 8).equals(segmentMagic)) return 'does not begin as a journal';
  const version = bytes.readUInt32LE(8);
  const header = {
    version,
    base: readUint64(bytes, 16),
    previousBase: readUint64(bytes, 24),
    salt: bytes.readUInt32LE(32),
    createdAt: readUint64(bytes, 36),
  };
  if (version !== formatVersion) return header;
  return crc32(bytes.subarray(0, 60)) === bytes.readUInt32LE(60) ? header : 'has a damaged header';
}

/** Fills in the header of a finished batch, whose records stand behind it. */
export function writeBatchHeader(batch: Buffer, header: BatchHeader, salt: number): void {
  batch.writeUInt32LE(batchMagicNumber, 0);
  batch.writeUInt32LE(header.length, 8);
  batch.writeUInt32LE(header.flags, 12);
  writeUint64(batch, header.lsn, 16);
  writeUint64(batch, header.durableLsn, 24);
  writeUint64(batch, header.headLsn, 32);
  batch.writeUInt32LE(batchChecksum(batch, 0, header.length, salt), 4);
}

/** The header at `at`, unchecked but for its first bytes; `null` where no batch begins. 40 bytes must be there. */
export function readBatchHeader(bytes: Buffer, at: number): BatchHeader | null {
  if (bytes.readUInt32LE(at) !== batchMagicNumber) return null;
  return {
    length: bytes.readUInt32LE(at + 8),
    flags: bytes.readUInt32LE(at + 12),
    lsn: readUint64(bytes, at + 16),
    durableLsn: readUint64(bytes, at + 24),
    headLsn: readUint64(bytes, at + 32),
  };
}

/** The batch at `at`, which lies wholly in `bytes`, is what was written. */
export function isBatchIntact(bytes: Buffer, at: number, length: number, salt: number): boolean {
  return bytes.readUInt32LE(at + 4) === batchChecksum(bytes, at, length, salt);
}

function batchChecksum(bytes: Buffer, at: number, length: number, salt: number): number {
  return crc32(bytes.subarray(at + 8, at + batchHeaderSize + length), salt);
}

export function segmentName(base: number): string {
  return `${base.toString(16).padStart(16, '0')}.log`;
}

/** Whole numbers up to 2^53, little-endian. */
function writeUint64(bytes: Buffer, value: number, at: number): void {
  bytes.writeUInt32LE(value % 0x1_0000_0000, at);
  bytes.writeUInt32LE(Math.floor(value / 0x1_0000_0000), at + 4);
}

function readUint64(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 0x1_0000_0000;
}

import { systemCodeOf } from '#base';
import type { StoredDeliveryState } from '#broker';
import type { JournalIndex } from '../index/journal-index.ts';
import type { SessionEntry } from '../index/session-entry.ts';
import { damageError, journalError } from '../journal-error.ts';
import { deliveryFrom } from './delivery-from.ts';
import type { LogFiles } from './log-files.ts';
import type { LogWriter } from './log-writer.ts';
import type { Segment, SegmentList } from './segment.ts';

/** Records that stand so near to each other are read together, in reads up to so many bytes. */
const smallGap = 16 * 1024;
const largestRead = 1024 * 1024;

/** How often a page is looked for again because what it is made of was moved meanwhile. */
const attempts = 5;

/** A record that is wanted, and its bytes once they are there. */
interface Wanted {
  readonly lsn: number;
  readonly size: number;
  bytes: Buffer | null;
}

interface WantedDelivery {
  readonly serial: number;
  readonly messageId: number;
  readonly delivery: Wanted;
  readonly message: Wanted;
}

export interface DeliveryReaderOptions {
  readonly folder: string;
  readonly files: LogFiles;
  readonly index: JournalIndex;
  readonly segments: SegmentList;
  readonly writer: LogWriter;
}

/** Reads queued deliveries back from the log, a page at a time and off the event loop. */
export class DeliveryReader {
  readonly #options: DeliveryReaderOptions;

  constructor(options: DeliveryReaderOptions) {
    this.#options = options;
  }

  /**
   * The next deliveries behind `afterSerial` that were neither sent nor urgent, in their order: as many as the bounds allow, one at
   * least. Rejects with `JOURNAL_UNUSABLE` when they cannot be read.
   */
  async read(
    entry: SessionEntry,
    afterSerial: number,
    maximumCount: number,
    maximumBytes: number,
  ): Promise<StoredDeliveryState[]> {
    const { folder } = this.#options;
    for (let attempt = 1; ; attempt++) {
      const page = this.#choose(entry, afterSerial, maximumCount, maximumBytes);
      try {
        await this.#fetch(page.flatMap(({ delivery, message }) => [delivery, message]));
        return this.#made(entry, page);
      } catch (error) {
        // Moved to another segment, and the old one is gone.
        if (systemCodeOf(error) === 'ENOENT' && attempt < attempts) continue;
        throw journalError(folder, 'read queued messages', error);
      }
    }
  }

  #choose(
    entry: SessionEntry,
    afterSerial: number,
    maximumCount: number,
    maximumBytes: number,
  ): WantedDelivery[] {
    const { index, writer } = this.#options;
    const { deliveries } = entry;
    const { messages } = index;
    const wanted = (lsn: number, size: number): Wanted => {
      const view = writer.pendingRecord(lsn, size);
      return { lsn, size, bytes: view === null ? null : Buffer.from(view) };
    };
    const page: WantedDelivery[] = [];
    let bytes = 0;
    for (let place = deliveries.after(afterSerial); place !== -1; place = deliveries.next(place)) {
      if (!deliveries.isOrdinaryAt(place)) continue;
      const slot = deliveries.slotAt(place);
      bytes += messages.weightOf(slot);
      if (page.length >= maximumCount || (page.length > 0 && bytes > maximumBytes)) break;
      page.push({
        serial: deliveries.serialAt(place),
        messageId: messages.idOf(slot),
        delivery: wanted(deliveries.lsnAt(place), deliveries.sizeAt(place)),
        message: wanted(messages.lsnOf(slot), messages.sizeOf(slot)),
      });
    }
    return page;
  }

  /** Reads what is not in memory. */
  async #fetch(all: readonly Wanted[]): Promise<void> {
    const { segments, folder } = this.#options;
    const bySegment = new Map<Segment, Wanted[]>();
    for (const one of all.filter(({ bytes }) => bytes === null).toSorted((a, b) => a.lsn - b.lsn)) {
      const segment = segments.find(one.lsn);
      if (segment === undefined) throw damageError(folder, `LSN ${one.lsn}`, 'is in no segment');
      const list = bySegment.get(segment);
      if (list === undefined) bySegment.set(segment, [one]);
      else list.push(one);
    }
    for (const [segment, wanted] of bySegment) await this.#fetchFrom(segment, wanted);
  }

  /** Reads what stands near together at once, and all at the same time: one page makes few calls. */
  async #fetchFrom(segment: Segment, wanted: readonly Wanted[]): Promise<void> {
    const { files } = this.#options;
    const fd = await files.openToRead(segment.file);
    try {
      const reads: Promise<void>[] = [];
      for (let first = 0; first < wanted.length;) {
        const start = wanted[first]!.lsn;
        let end = start + wanted[first]!.size;
        let next = first + 1;
        while (next < wanted.length) {
          const { lsn, size } = wanted[next]!;
          if (lsn - end > smallGap || lsn + size - start > largestRead) break;
          end = Math.max(end, lsn + size);
          next++;
        }
        reads.push(this.#readRange(fd, segment, start, end, wanted.slice(first, next)));
        first = next;
      }
      // All of them come to an end before the file is closed.
      const failed = (await Promise.allSettled(reads)).find(({ status }) => status === 'rejected');
      if (failed !== undefined) throw (failed as PromiseRejectedResult).reason;
    } finally {
      await files.close(fd);
    }
  }

  async #readRange(
    fd: number,
    segment: Segment,
    start: number,
    end: number,
    wanted: readonly Wanted[],
  ): Promise<void> {
    const { files, folder } = this.#options;
    const bytes = Buffer.allocUnsafeSlow(end - start);
    const got = await files.read(fd, bytes, segment.positionOf(start));
    if (got < bytes.length) throw damageError(folder, segment.file, 'is shorter than it was');
    for (const one of wanted) one.bytes = bytes.subarray(one.lsn - start, one.lsn - start + one.size);
  }

  /** What is still queued of the page, as it stands now. */
  #made(entry: SessionEntry, page: readonly WantedDelivery[]): StoredDeliveryState[] {
    const { folder } = this.#options;
    const made: StoredDeliveryState[] = [];
    for (const { serial, messageId, delivery, message } of page) {
      const place = entry.deliveries.find(serial);
      if (place === -1 || !entry.deliveries.isOrdinaryAt(place)) continue;
      const state = deliveryFrom(delivery.bytes!, message.bytes!, entry.id, serial, messageId, 0, false);
      if (state === null) throw damageError(folder, `delivery ${serial}`, 'is not what was written');
      made.push(state);
    }
    return made;
  }
}

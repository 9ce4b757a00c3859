import type { EpochMs } from '#model';
import type { StampOrder } from './stamp-order.ts';

/**
 * What came of one epoch (one boot) of one device.
 *
 *            floor          highest - 1023                highest
 *   …………………………│…………………………………│██████·██████████·█████████│
 *   not counted      too old to tell     the ring: a mark or nothing, at sequence % 1024
 *
 * Invariant: `missing` = numbers from `floor` to `highest` that have not come, as far as the ring can tell.
 * A mark is a hash of the stamp under which the number came, so that the network's redelivery of a message (same stamp)
 * is told from the device's repeat of a number (another stamp) at four bytes each.
 */
const windowSize = 1024;

/** Marks that are no hashes: nothing came; it came without a stamp; it came before this process began. */
const absent = 0;
const unstamped = 1;
const restored = 2;

/** This many repeats, each one more than the last, are no repeats: the device counts anew and its hello was lost. */
const runThatResets = 3;

const noMarks = new Uint32Array(0);

/** What one sequence number turned out to be. `reset` = it belongs to a new epoch. */
export type WindowVerdict = 'new' | 'gap' | 'late' | 'redelivered' | 'repeat' | 'reset';

/** The stamp of a message, and of the hello or reading at which an epoch began. */
export interface Mark {
  readonly stampId: string;
  readonly receivedAt: EpochMs;
  /** Its sender said that it may have sent it before: then a number that is known is no news. */
  readonly mayBeRepeat?: boolean;
}

/** Judges each sequence number of one epoch of one device. */
export class SequenceWindow {
  readonly epoch: number;
  /** What began the epoch; `undefined` when that was before anything that is known. */
  readonly begin: Mark | undefined;
  /** -1 until a number has come. */
  highest = -1;
  /** The first number of the gap that the last `gap` verdict found; it ends before `highest`. */
  gapFrom = 0;
  readonly #isAnnounced: boolean;
  readonly #order: StampOrder;
  /** Made at the first mark: an epoch of which nothing came costs no memory. */
  #marks = noMarks;
  #floor = 0;
  #lowest = 0;
  /** Stamp of `highest`; one object for all, as it changes with each reading. */
  readonly #highest: { stampId: string; receivedAt: EpochMs } = { stampId: '', receivedAt: 0 };
  #runNext = -1;
  #runLength = 0;
  #runBegan = 0;

  /** `isAnnounced`: a hello or a new boot id began it, so that its numbers begin with 0 or 1. `order`: of the device. */
  constructor(epoch: number, begin: Mark | undefined, isAnnounced: boolean, order: StampOrder) {
    this.epoch = epoch;
    this.#order = order;
    this.begin = begin;
    this.#isAnnounced = isAnnounced;
  }

  /** Whether a message was accepted before this epoch began, and so belongs to an older one. */
  beganAfter(mark: Mark): boolean {
    const { begin } = this;
    return begin !== undefined && this.#order.isLater(begin, mark);
  }

  /** Notes a number that is in the store already. */
  restore(sequence: number, mark: Mark): void {
    if (this.highest < 0) {
      this.#marks = new Uint32Array(windowSize);
      this.highest = sequence;
      this.#floor = sequence;
      this.#lowest = sequence;
    }
    this.#floor = Math.min(this.#floor, sequence);
    this.#lowest = Math.min(this.#lowest, sequence);
    if (sequence > this.highest) this.#advance(sequence);
    if (sequence === this.highest) this.#noteHighest(mark);
    if (sequence > this.highest - windowSize) {
      this.#marks[sequence % windowSize] = mark.stampId === '' ? restored : hashStamp(mark.stampId);
    }
  }

  /** Costs the same whatever the device does, except that a jump ahead clears at most 1,024 marks. */
  observe(sequence: number, mark: Mark): WindowVerdict {
    if (this.highest < 0) return this.#observeFirst(sequence, mark);
    if (sequence > this.highest) return this.#observeNext(sequence, mark);
    if (sequence <= this.highest - windowSize) return this.#observeOld(mark);
    const slot = sequence % windowSize;
    const known = this.#marks[slot];
    if (known === absent) {
      if (sequence < this.#lowest && this.#isNewAfterHighest(mark)) return 'reset';
      this.#marks[slot] = hashStamp(mark.stampId);
      this.#lowest = Math.min(this.#lowest, sequence);
      return sequence >= this.#floor ? 'late' : 'new';
    }
    if (mark.mayBeRepeat === true) return 'redelivered';
    if (known === restored)
      return this.#isAfterHighest(mark) ? this.#observeRepeat(sequence, mark) : 'redelivered';
    if (known !== unstamped && known === hashStamp(mark.stampId)) return 'redelivered';
    return this.#observeRepeat(sequence, mark);
  }

  #observeFirst(sequence: number, mark: Mark): WindowVerdict {
    this.#marks = new Uint32Array(windowSize);
    this.highest = sequence;
    this.#lowest = sequence;
    this.#floor = this.#isAnnounced ? Math.min(1, sequence) : sequence;
    this.#noteHighest(mark);
    this.#marks[sequence % windowSize] = hashStamp(mark.stampId);
    this.gapFrom = this.#floor;
    return this.#floor < sequence ? 'gap' : 'new';
  }

  #observeNext(sequence: number, mark: Mark): WindowVerdict {
    const expected = this.highest + 1;
    this.#advance(sequence);
    this.#noteHighest(mark);
    this.#marks[sequence % windowSize] = hashStamp(mark.stampId);
    this.#runLength = 0;
    this.gapFrom = expected;
    return sequence === expected ? 'new' : 'gap';
  }

  /** Older than the ring. Whether it is in the store cannot be told here; the table's unique key decides. */
  #observeOld(mark: Mark): WindowVerdict {
    return this.#isNewAfterHighest(mark) ? 'reset' : 'new';
  }

  /**
   * A detector whose hello was lost sends numbers that have come before. To take them all for repeats would throw away
   * its readings for as long as it ran before, so a run of them resets. Without stamps a redelivered backlog looks the
   * same, so there only a run that begins as a boot does (0 or 1) resets.
   */
  #observeRepeat(sequence: number, mark: Mark): WindowVerdict {
    if (!this.#isAfterHighest(mark)) return 'repeat';
    if (sequence !== this.#runNext || this.#runLength === 0) {
      this.#runLength = 0;
      this.#runBegan = sequence;
    }
    this.#runLength += 1;
    this.#runNext = sequence + 1;
    const mayReset = mark.stampId !== '' || this.#runBegan <= 1;
    return mayReset && this.#runLength >= runThatResets ? 'reset' : 'repeat';
  }

  #advance(sequence: number): void {
    const jump = sequence - this.highest;
    if (jump >= windowSize) this.#marks.fill(absent);
    else
      for (let passed = this.highest + 1; passed < sequence; passed += 1)
        this.#marks[passed % windowSize] = absent;
    this.highest = sequence;
  }

  #noteHighest(mark: Mark): void {
    this.#highest.stampId = mark.stampId;
    this.#highest.receivedAt = mark.receivedAt;
  }

  #isNewAfterHighest(mark: Mark): boolean {
    return mark.mayBeRepeat !== true && this.#isAfterHighest(mark);
  }

  #isAfterHighest(mark: Mark): boolean {
    return this.#order.isLater(mark, this.#highest);
  }
}

/** FNV-1a of the stamp, never one of the special marks. */
function hashStamp(stampId: string): number {
  if (stampId === '') return unstamped;
  let hash = 0x811c9dc5;
  for (let i = 0; i < stampId.length; i += 1) hash = Math.imul(hash ^ stampId.charCodeAt(i), 0x01000193);
  hash >>>= 0;
  return hash <= restored ? hash + 3 : hash;
}

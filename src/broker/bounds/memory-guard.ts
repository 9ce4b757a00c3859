import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { BrokerCore } from '../core.ts';
import { sumUp, type Account } from './account.ts';
import { endAbsent, endHeaviest } from './heaviest.ts';

/** What this thread's data takes; the resident memory of the process is no measure, because it hardly ever falls. */
export interface MemoryUse {
  readonly heapBytes: number;
  /** Buffers. */
  readonly externalBytes: number;
  /** Beyond it the process dies. */
  readonly heapLimitBytes: number;
}

/** Reads the memory; a test gives its own. */
export interface MemoryGauge {
  read(): MemoryUse;
  /** What the process has in memory outside of its heap, in use or not yet given back. Absent = not known. */
  readResident?(): number;
  /** Takes garbage away at once, so that nobody is refused for it. */
  collect(): void;
}

/** Shares of the bound: from the first on it is tight, and until it is below the second. */
const tightShare = 0.9;
const relaxedShare = 0.85;

/**
 * Share of the bound that may be taken outside of the heap, by buffers and connections. The C library hardly ever gives
 * back what it once took for them, so that the heap must do with the rest.
 */
const outsideShare = 0.78;
/**
 * Share of the bound that the heap and what was ever taken outside of it may be together: more than the bound, as not
 * all of that is in use. For the heap there is at least the second, or who left could lock others out.
 */
const mostShare = 1.2;
const leastHeapShare = 0.3;
/** Where it is reached, connections end down to this share of it. */
const outsideEnough = 0.9;

/**
 * Share of it from which on nothing more is taken that outlives its connection, until it is below the second; from the
 * third on absent sessions end that hold much. The rest is for connections: nobody who left can lock others out.
 */
const keptFullShare = 0.6;
const keptRoomShare = 0.55;
const keptTooMuchShare = 0.72;

/** … which may be garbage, or pass: only when it has been so for this long. */
const tooMuchMs = 30_000;

/** Share of it that may wait for sockets together before each of them may have less. */
const waitingShare = 0.1;

/** From here on connections are added up: that takes a look at each of them. */
const countShare = 0.3;
const mostOfAConnection = 160 * 1024;

const nothingHeld: Account = { uncounted: 0, held: 0, waiting: 0, waitingFor: 0 };

/** … and what may be sent in a turn has a bound. */
const sentInATurn = 8 * 1024 * 1024;

/** A client's socket may keep this much waiting while memory is tight, and while it is full. */
const tightPendingBytes = 64 * 1024;
const fullPendingBytes = 16 * 1024;

/** Part of V8's own heap limit that may be used: its last collections before the end take all time there is. */
const usableHeap = 0.85;

/** Part of V8's limit that is for young objects alone: bin/davylamp gives them three times 16 MB. */
const youngBytes = 48 * 1024 * 1024;

/** So much more in the queues, and the memory is looked at without waiting for the sweep. */
const lookAgainBytes = 8 * 1024 * 1024;

/**
 * What is received and sent may take memory, some of it many times over: a filter of a hundred levels, a message to a
 * thousand clients that do not read. So the memory is looked at oftener the less of it is left, but never for less.
 */
const stepShare = 1 / 64;
const leastStep = 256 * 1024;

/** A question to the system: not at every look. */
const residentMs = 1000;

/** A collection stops everybody for a tenth of a second or more: not oftener than this. */
const collectMs = 30_000;
/** … where the memory is full: nobody ends for nothing but garbage. */
const collectSoonMs = 2000;

/** Sockets that were closed are gone after this time. */
const closedMs = 1000;

/** … but where the memory is full and so much was carried since: a fan-out can leave more of it behind than there is. */
const garbageBytes = 64 * 1024 * 1024;

/**
 * Holds the broker below its memory bound, which is of all that clients can make it hold: heap, buffers, and what
 * connections take beside (TLS most of all).
 *
 *   kept full   from 60 % by what outlives its connection: no new session that does so, no new subscription of one, no
 *               new topic retained, nothing queued in memory for the absent
 *   tight       from 90 %: new connections are refused and QoS 0 is dropped for whoever lags
 *   full        besides, all that stops where what is kept is too much, nothing new is subscribed to, and the
 *               connections that hold most end
 *
 * Who is connected and keeps up at QoS 1 or 2 notices nothing, unless what it is being sent is much of the memory.
 */
export class MemoryGuard {
  /** `queuedBytes` at which to look again. */
  lookAt = lookAgainBytes;
  /** At the last look. */
  usedBytes = 0;
  isTight = false;
  isFull = false;
  /** What outlives its connection has no more room. */
  isKeptFull = false;
  /** At the last look. */
  keptBytes = 0;
  /** The most that was taken outside of the heap. */
  #mostOutside = 0;
  /** What the process has there beside that what it had before clients came, when it was last asked. */
  #resident = 0;
  #residentBase = -1;
  #residentAt = Number.NEGATIVE_INFINITY;
  /** Of what connections take in all, while too much is taken outside of the heap; else `Infinity`. */
  #boundOfAll = Infinity;
  /** Since when what is kept has been too much (monotonic); -1 = it is not. */
  #tooMuchSince = -1;
  /** Bytes that wait for sockets, and sockets that they wait for, at the last look. */
  #waiting = 0;
  #waitingFor = 0;
  readonly #core: BrokerCore;
  readonly #gauge: MemoryGauge;
  /** It was full at the last look, and nobody was ended for it yet. */
  #mustRelieve = false;
  /** Bytes received, and of payloads sent, at which to look again; 0 = with the first. */
  #lookAtCarried = 0;
  /** Payload bytes sent at which publishers wait for the next turn. */
  #pauseAtSent = Infinity;
  #collectedAt = Number.NEGATIVE_INFINITY;
  /** Connections that were ended are closed by then. */
  #collectAgainAt = Infinity;
  /** Bytes received and sent by then. */
  #carriedAtCollect = 0;
  #gathered = 0;

  constructor(core: BrokerCore, gauge: MemoryGauge) {
    this.#core = core;
    this.#gauge = gauge;
  }

  /** Bytes of heap and buffers now. */
  measure(): number {
    const { heapBytes, externalBytes } = this.#gauge.read();
    return heapBytes + externalBytes;
  }

  /**
   * So much was sent since the last look, while the memory is no longer empty, that the next packet has to wait for the
   * turn's writes: one chunk of messages to thousands of clients is hundreds of megabytes.
   */
  get isMuchSent(): boolean {
    return this.#core.statistics.publishBytesSent >= this.#pauseAtSent;
  }

  /** Called behind each chunk, when no packet is being handled: looks where much was carried since the last time. */
  lookIfDue(): void {
    if (this.#carried >= this.#lookAtCarried) this.look();
    if (this.#mustRelieve) this.relieve();
  }

  /** As `lookIfDue`; the broker does not see these bytes before they are a whole message. */
  onGathering(bytes: number): void {
    this.#gathered += bytes;
    this.lookIfDue();
  }

  /** Where the memory is full, ends who holds most of it. Not while a packet is being handled. */
  relieve(): void {
    if (!this.#mustRelieve) return;
    this.#mustRelieve = false;
    const { maximumMemory = 0 } = this.#core.limits;
    const isLasting =
      this.#tooMuchSince >= 0 && this.#core.clock.monotonic() - this.#tooMuchSince >= tooMuchMs;
    const tooMuch = this.keptBytes - maximumMemory * keptRoomShare;
    const absent = isLasting ? endAbsent(this.#core, tooMuch) : 0;
    const heaviest = this.isFull ? endHeaviest(this.#core, this.#boundOfAll) : 0;
    if (absent + heaviest === 0) return;
    // What they held is garbage from now on: the next look takes it away.
    this.#collectedAt = Number.NEGATIVE_INFINITY;
    this.#collectAgainAt = this.#core.clock.monotonic() + closedMs;
  }

  /** Called each second, and when the queues have grown or much was carried. */
  look(): void {
    const { maximumMemory = 0 } = this.#core.limits;
    if (maximumMemory === 0) {
      this.lookAt = Infinity;
      this.#lookAtCarried = Infinity;
      this.#pauseAtSent = Infinity;
      this.#letGo();
      return;
    }
    const { statistics } = this.#core;
    this.lookAt = statistics.queuedBytes + lookAgainBytes;
    let share = this.#share(maximumMemory);
    const isMuch = share >= tightShare || this.keptBytes >= maximumMemory * keptFullShare;
    if (isMuch && this.#mayCollect(share)) {
      this.#gauge.collect();
      share = this.#share(maximumMemory);
    }
    this.isFull = share >= 1;
    const keptShare = this.keptBytes / maximumMemory;
    this.#changeKept(this.isFull || keptShare >= (this.isKeptFull ? keptRoomShare : keptFullShare));
    const step = Math.max(leastStep, (1 - share) * maximumMemory * stepShare);
    this.#lookAtCarried = this.#carried + step;
    this.#mustRelieve = this.isFull || keptShare >= keptTooMuchShare;
    if (keptShare < keptTooMuchShare) this.#tooMuchSince = -1;
    else if (this.#tooMuchSince < 0) this.#tooMuchSince = this.#core.clock.monotonic();
    const mayBeSent = share >= countShare ? sentInATurn : Infinity;
    this.#pauseAtSent = statistics.publishBytesSent + mayBeSent;
    const isTight = share >= (this.isTight ? relaxedShare : tightShare);
    const tightBound = !isTight ? Infinity : this.isFull ? fullPendingBytes : tightPendingBytes;
    this.#core.tightBound = Math.min(tightBound, this.#boundOfWaiting(maximumMemory));
    this.#core.unacknowledgedBound = isTight ? tightBound : Infinity;
    if (isTight !== this.isTight) this.#change(isTight, share);
  }

  /** There is no bound any more: what was refused for it is taken again. */
  #letGo(): void {
    this.isFull = false;
    this.#mustRelieve = false;
    this.#tooMuchSince = -1;
    this.#core.tightBound = Infinity;
    this.#core.unacknowledgedBound = Infinity;
    this.#changeKept(false);
    if (this.isTight) this.#change(false, 0);
  }

  /** Many sockets that take nothing share what may wait; a few that have much to catch up with do not notice. */
  #boundOfWaiting(maximumMemory: number): number {
    const room = maximumMemory * waitingShare;
    if (this.#waiting < room / 2) return Infinity;
    return Math.max(fullPendingBytes, room / this.#waitingFor);
  }

  /** What came in, whole or not, and the payloads that went out: all that can take memory. */
  get #carried(): number {
    const { bytesReceived, publishBytesSent } = this.#core.statistics;
    return bytesReceived + publishBytesSent + this.#gathered;
  }

  #share(maximumMemory: number): number {
    const { heapBytes, externalBytes, heapLimitBytes } = this.#gauge.read();
    const counted = heapBytes + externalBytes;
    const { connections } = this.#core;
    const isMuch = counted + connections.size * mostOfAConnection >= maximumMemory * countShare;
    const { uncounted, held, waiting, waitingFor } = isMuch ? sumUp(connections) : nothingHeld;
    const outside = externalBytes + uncounted;
    this.usedBytes = heapBytes + outside;
    this.keptBytes = Math.max(0, this.usedBytes - held);
    this.#waiting = waiting;
    this.#waitingFor = waitingFor;
    const mostOutside = maximumMemory * outsideShare;
    this.#boundOfAll = outside >= mostOutside ? mostOutside * outsideEnough : Infinity;
    const heapRoom = Math.max(
      leastHeapShare * maximumMemory,
      mostShare * maximumMemory - this.#everTaken(outside),
    );
    const ofHeap = Math.max(heapBytes / heapRoom, heapBytes / (heapLimitBytes * usableHeap));
    return Math.max(this.usedBytes / maximumMemory, outside / mostOutside, ofHeap);
  }

  /** What was once taken outside of the heap and has not been given back, as far as is known. */
  #everTaken(outside: number): number {
    if (this.#gauge.readResident === undefined) return outside;
    this.#mostOutside = Math.max(this.#mostOutside, outside);
    const now = this.#core.clock.monotonic();
    if (now - this.#residentAt >= residentMs) {
      const resident = this.#gauge.readResident();
      this.#residentAt = now;
      if (this.#residentBase < 0) this.#residentBase = Math.max(0, resident - outside);
      this.#resident = resident - this.#residentBase;
    }
    return Math.min(this.#mostOutside, this.#resident);
  }

  #mayCollect(share: number): boolean {
    const now = this.#core.clock.monotonic();
    const carried = this.#carried;
    const isClosed = now >= this.#collectAgainAt;
    const isMuchGarbage = share >= 1 && carried - this.#carriedAtCollect >= garbageBytes;
    if (now - this.#collectedAt < (share >= 1 ? collectSoonMs : collectMs) && !isMuchGarbage && !isClosed)
      return false;
    if (isClosed) this.#collectAgainAt = Infinity;
    this.#collectedAt = now;
    this.#carriedAtCollect = carried;
    return true;
  }

  #changeKept(isFull: boolean): void {
    if (isFull === this.isKeptFull) return;
    this.isKeptFull = isFull;
    const { sparing, limits } = this.#core;
    const fields = { kept: this.keptBytes, maximum_memory: limits.maximumMemory };
    if (isFull)
      sparing.warning(
        'what must be kept for absent clients and retained takes most of the memory: no more of it is taken; raise maximum_memory where the machine has more',
        fields,
      );
    else sparing.notice('there is room again for what must be kept', fields);
  }

  #change(isTight: boolean, share: number): void {
    const core = this.#core;
    this.isTight = isTight;
    const fields = { used: this.usedBytes, percent: Math.round(share * 100) };
    if (isTight) {
      core.sparing.warning(
        'the memory is nearly full: no new connections, no QoS 0 for clients that lag; raise maximum_memory where the machine has more',
        fields,
      );
      return;
    }
    core.sparing.notice('the memory is no longer full', fields);
    // What waited for a congested socket under the narrow bound may go on.
    for (const connection of core.connections) connection.onRelief();
  }
}

/** The memory of this thread. */
export const threadMemory: MemoryGauge = {
  read() {
    // `process.memoryUsage` says the same, but asks the system for the resident memory each time.
    const { used_heap_size, external_memory, heap_size_limit } = getHeapStatistics();
    const heapLimitBytes = Math.max(heap_size_limit / 2, heap_size_limit - youngBytes);
    return { heapBytes: used_heap_size, externalBytes: external_memory, heapLimitBytes };
  },
  readResident() {
    return process.memoryUsage.rss() - getHeapStatistics().total_heap_size;
  },
  collect() {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as (options?: { readonly type: 'minor' }) => void;
    setFlagsFromString('--no-expose-gc');
    collect();
    collect({ type: 'minor' }); // buffers are counted as gone with the collection after the one that found them
  },
};

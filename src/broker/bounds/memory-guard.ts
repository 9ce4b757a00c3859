import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { BrokerCore } from '../core.ts';
import { endHeaviest } from './heaviest.ts';

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
  /** Takes garbage away at once, so that nobody is refused for it. */
  collect(): void;
}

/** Shares of the bound: from the first on it is tight, and until it is below the second. */
const tightShare = 0.9;
const relaxedShare = 0.85;

/** From here on what the process does not count is added up: that takes a look at each connection. */
const countShare = 0.3;

/** … and what may be sent in a turn has a bound. */
const sentInATurn = 16 * 1024 * 1024;

/** A client's socket may keep this much waiting while memory is tight, and while it is full. */
const tightPendingBytes = 64 * 1024;
const fullPendingBytes = 16 * 1024;

/** Part of V8's own heap limit that may be used: its last collections before the end take all time there is. */
const usableHeap = 0.85;

/** So much more in the queues, and the memory is looked at without waiting for the sweep. */
const lookAgainBytes = 8 * 1024 * 1024;

/**
 * What is received and sent may take memory, some of it many times over: a filter of a hundred levels, a message to a
 * thousand clients that do not read. So the memory is looked at oftener the less of it is left, but never for less.
 */
const stepShare = 1 / 64;
const leastStep = 256 * 1024;

/** A collection stops everybody for a tenth of a second or more: not oftener than this. */
const collectMs = 30_000;

/** … but where the memory is full and so much was carried since: a fan-out can leave more of it behind than there is. */
const garbageBytes = 64 * 1024 * 1024;

/**
 * Holds the broker below its memory bound: tight = new connections are refused and QoS 0 is dropped for whoever lags;
 * full = besides, nothing is queued for absent clients, no new topic is retained, nothing new is subscribed to, and
 * the connections that hold most end. Who is connected and keeps up at QoS 1 or 2 notices nothing.
 */
export class MemoryGuard {
  /** `queuedBytes` at which to look again. */
  lookAt = lookAgainBytes;
  /** At the last look. */
  usedBytes = 0;
  isTight = false;
  isFull = false;
  readonly #core: BrokerCore;
  readonly #gauge: MemoryGauge;
  /** It was full at the last look, and nobody was ended for it yet. */
  #mustRelieve = false;
  /** Bytes received, and of payloads sent, at which to look again; 0 = with the first. */
  #lookAtCarried = 0;
  /** Payload bytes sent at which publishers wait for the next turn. */
  #pauseAtSent = Infinity;
  #collectedAt = Number.NEGATIVE_INFINITY;
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
    // What they held is garbage from now on: the next look takes it away.
    if (endHeaviest(this.#core) > 0) this.#collectedAt = Number.NEGATIVE_INFINITY;
  }

  /** Called each second, and when the queues have grown or much was carried. */
  look(): void {
    const { maximumMemory = 0 } = this.#core.limits;
    if (maximumMemory === 0) {
      this.lookAt = Infinity;
      this.#lookAtCarried = Infinity;
      this.#pauseAtSent = Infinity;
      return;
    }
    const { statistics } = this.#core;
    this.lookAt = statistics.queuedBytes + lookAgainBytes;
    let share = this.#share(maximumMemory);
    if (share >= tightShare && this.#mayCollect(share)) {
      this.#gauge.collect();
      share = this.#share(maximumMemory);
    }
    this.isFull = share >= 1;
    const step = Math.max(leastStep, (1 - share) * maximumMemory * stepShare);
    this.#lookAtCarried = this.#carried + step;
    this.#mustRelieve = this.isFull;
    const mayBeSent = share >= countShare ? sentInATurn : Infinity;
    this.#pauseAtSent = statistics.publishBytesSent + mayBeSent;
    const isTight = share >= (this.isTight ? relaxedShare : tightShare);
    this.#core.tightBound = !isTight ? Infinity : this.isFull ? fullPendingBytes : tightPendingBytes;
    if (isTight !== this.isTight) this.#change(isTight, share);
  }

  /** What came in, whole or not, and the payloads that went out: all that can take memory. */
  get #carried(): number {
    const { bytesReceived, publishBytesSent } = this.#core.statistics;
    return bytesReceived + publishBytesSent + this.#gathered;
  }

  #share(maximumMemory: number): number {
    const { heapBytes, externalBytes, heapLimitBytes } = this.#gauge.read();
    this.usedBytes = heapBytes + externalBytes;
    if (this.usedBytes >= maximumMemory * countShare) this.usedBytes += this.#uncounted();
    return Math.max(this.usedBytes / maximumMemory, heapBytes / (heapLimitBytes * usableHeap));
  }

  #uncounted(): number {
    let sum = 0;
    for (const { transport } of this.#core.connections) sum += transport.uncountedBytes ?? 0;
    return sum;
  }

  #mayCollect(share: number): boolean {
    const now = this.#core.clock.monotonic();
    const carried = this.#carried;
    const isMuchGarbage = share >= 1 && carried - this.#carriedAtCollect >= garbageBytes;
    if (now - this.#collectedAt < collectMs && !isMuchGarbage) return false;
    this.#collectedAt = now;
    this.#carriedAtCollect = carried;
    return true;
  }

  #change(isTight: boolean, share: number): void {
    const core = this.#core;
    this.isTight = isTight;
    const fields = { used: this.usedBytes, percent: Math.round(share * 100) };
    if (isTight) {
      core.log.warning(
        'the memory is nearly full: no new connections, no QoS 0 for clients that lag; raise maximum_memory where the machine has more',
        fields,
      );
      return;
    }
    core.log.notice('the memory is no longer full', fields);
    // What waited for a congested socket under the narrow bound may go on.
    for (const connection of core.connections) connection.onRelief();
  }
}

/** The memory of this thread. */
export const threadMemory: MemoryGauge = {
  read() {
    // `process.memoryUsage` says the same, but asks the system for the resident memory each time.
    const { used_heap_size, external_memory, heap_size_limit } = getHeapStatistics();
    return { heapBytes: used_heap_size, externalBytes: external_memory, heapLimitBytes: heap_size_limit };
  },
  collect() {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as (options?: { readonly type: 'minor' }) => void;
    setFlagsFromString('--no-expose-gc');
    collect();
    collect({ type: 'minor' }); // buffers are counted as gone with the collection after the one that found them
  },
};

import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { BrokerCore } from '../core.ts';

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

/** A client's socket may keep this much waiting while memory is tight. */
const tightPendingBytes = 64 * 1024;

/** Part of V8's own heap limit that may be used: its last collections before the end take all time there is. */
const usableHeap = 0.85;

/** So much more in the queues, and the memory is looked at without waiting for the sweep. */
const lookAgainBytes = 8 * 1024 * 1024;

/** A collection stops everybody for a tenth of a second or more: not oftener than this. */
const collectMs = 30_000;

/**
 * Holds the broker below its memory bound: tight = new connections are refused and QoS 0 is dropped for whoever lags;
 * full = besides, nothing is queued for absent clients and no new topic is retained. Who is connected and keeps
 * up at QoS 1 or 2 notices nothing.
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
  #collectedAt = Number.NEGATIVE_INFINITY;

  constructor(core: BrokerCore, gauge: MemoryGauge) {
    this.#core = core;
    this.#gauge = gauge;
  }

  /** Bytes of heap and buffers now. */
  measure(): number {
    const { heapBytes, externalBytes } = this.#gauge.read();
    return heapBytes + externalBytes;
  }

  /** Called each second, and when the queues have grown. */
  look(): void {
    const { maximumMemory = 0 } = this.#core.limits;
    if (maximumMemory === 0) {
      this.lookAt = Infinity;
      return;
    }
    this.lookAt = this.#core.statistics.queuedBytes + lookAgainBytes;
    let share = this.#share(maximumMemory);
    if (share >= tightShare && this.#mayCollect()) {
      this.#gauge.collect();
      share = this.#share(maximumMemory);
    }
    this.isFull = share >= 1;
    const isTight = share >= (this.isTight ? relaxedShare : tightShare);
    if (isTight !== this.isTight) this.#change(isTight, share);
  }

  #share(maximumMemory: number): number {
    const { heapBytes, externalBytes, heapLimitBytes } = this.#gauge.read();
    this.usedBytes = heapBytes + externalBytes;
    return Math.max(this.usedBytes / maximumMemory, heapBytes / (heapLimitBytes * usableHeap));
  }

  #mayCollect(): boolean {
    const now = this.#core.clock.monotonic();
    if (now - this.#collectedAt < collectMs) return false;
    this.#collectedAt = now;
    return true;
  }

  #change(isTight: boolean, share: number): void {
    const core = this.#core;
    this.isTight = isTight;
    core.tightBound = isTight ? tightPendingBytes : Infinity;
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
    const { heapUsed, external } = process.memoryUsage();
    return {
      heapBytes: heapUsed,
      externalBytes: external,
      heapLimitBytes: getHeapStatistics().heap_size_limit,
    };
  },
  collect() {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    setFlagsFromString('--no-expose-gc');
    collect();
  },
};

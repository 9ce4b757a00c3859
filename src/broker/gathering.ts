import { blockThread, type Clock } from '#base';

/** How long the thread rests after a turn; what arrives meanwhile waits so long at most. Milliseconds. */
const restMs = 0.5;

/** Turns between two looks at the clock: of work as usual, and with rests. */
const usualTurns = 256;
const restedTurns = 64;

/** Looks with rests until one without: do as many packets still come without them? */
const restedLooks = 32;

/** Fewer turns a second: a rest costs about as much as the wakes that it spares. */
const busyTurns = 4000;

/** Packets that a turn handles: so many gather by themselves. */
const fewPackets = 8;
/** So many with rests: the load has grown beyond them. */
const manyPackets = 64;

/** The share of the packets that must still come when we rest: less, and it was us that their senders waited for. */
const leastShare = 0.8;
/** How many times as many packets a turn must handle with rests. */
const leastGain = 2.5;
/** Fewer packets a turn with rests: there is less to do than there was. */
const leastPackets = 2;

/** So many trials in a row must agree: a machine that was busy elsewhere for a moment looks like senders that wait. */
const trialsAtFirst = 3;
const trialsAgain = 2;

const firstRefusalMs = 1000;
const longestRefusalMs = 64_000;

type Phase = 'usual' | 'trial' | 'resting';

/**
 * Lets messages gather that come often but one by one, as interrupt moderation does in a network card: to be woken for
 * each costs more than to carry it. So where turns are many and short the thread rests half a millisecond after each.
 *
 *   usual ── many short turns ──► trial ── three times: as many packets, more in each turn ──► resting
 *     ▲ ▲                           │                                                             │
 *     │ └─ fewer came: none for 1 s ┘                                                             │
 *     └────────────────────────────────────── once a second, or when there is less or far more to do
 *
 * Senders that wait for each answer are slowed by a rest, and show it: fewer packets come than without.
 */
export class Gathering {
  readonly #clock: Clock;
  readonly #rest: (milliseconds: number) => void;
  #phase: Phase = 'usual';
  #turnsLeft = usualTurns;
  #turns = usualTurns;
  #since: number;
  #packets = 0;
  /** Packets a millisecond, and packets a turn, without rests. */
  #usualRate = 0;
  #usualPackets = 0;
  #looks = 0;
  #trialsLeft = trialsAtFirst;
  #refusedUntil = 0;
  #refusalMs = firstRefusalMs;

  /** `rest` stops the thread. */
  constructor(clock: Clock, rest: (milliseconds: number) => void = blockThread) {
    this.#clock = clock;
    this.#rest = rest;
    this.#since = clock.monotonic();
  }

  /** The thread rests after turns. */
  get isResting(): boolean {
    return this.#phase === 'trial' || this.#phase === 'resting';
  }

  /** A turn has ended, its writes are made. `packets`: that have come since the start. */
  afterTurn(packets: number): void {
    if (this.isResting) this.#rest(restMs);
    if (--this.#turnsLeft === 0) this.#look(packets);
  }

  #look(packets: number): void {
    const now = this.#clock.monotonic();
    const elapsed = Math.max(now - this.#since, 0.001);
    const turnsPerSecond = (this.#turns * 1000) / elapsed;
    const rate = (packets - this.#packets) / elapsed;
    const perTurn = (packets - this.#packets) / this.#turns;
    this.#since = now;
    this.#packets = packets;
    this.#enter(this.#next(now, turnsPerSecond, rate, perTurn));
  }

  #next(now: number, turnsPerSecond: number, rate: number, perTurn: number): Phase {
    if (this.#phase === 'usual') {
      this.#usualRate = rate;
      this.#usualPackets = perTurn;
      const isWorthIt = turnsPerSecond >= busyTurns && perTurn <= fewPackets;
      return isWorthIt && now >= this.#refusedUntil ? 'trial' : 'usual';
    }
    if (this.#phase === 'resting') {
      if (perTurn < leastPackets || perTurn > manyPackets) return 'usual';
      return ++this.#looks < restedLooks ? 'resting' : 'usual';
    }
    if (rate < this.#usualRate * leastShare || perTurn < this.#usualPackets * leastGain)
      return this.#refuse(now);
    if (--this.#trialsLeft > 0) return 'usual';
    this.#trialsLeft = trialsAgain;
    this.#refusalMs = firstRefusalMs;
    this.#looks = 0;
    return 'resting';
  }

  #refuse(now: number): Phase {
    this.#trialsLeft = trialsAtFirst;
    this.#refusedUntil = now + this.#refusalMs;
    this.#refusalMs = Math.min(this.#refusalMs * 2, longestRefusalMs);
    return 'usual';
  }

  #enter(phase: Phase): void {
    this.#phase = phase;
    this.#turns = this.isResting ? restedTurns : usualTurns;
    this.#turnsLeft = this.#turns;
  }
}

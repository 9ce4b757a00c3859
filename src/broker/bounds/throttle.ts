import type { Timer } from '#base';
import type { LimitsConfig } from '#config';
import { PacketType } from '#mqtt';
import type { Connection } from '../connection.ts';
import { PauseReason } from '../phase.ts';
import type { BrokerCore } from '../core.ts';

/** What may come at once: a quarter of a second's worth, because many that begin together are felt by everybody … */
const burstShare = 0.25;
/** … but so much at least, where a whole second's worth is as much. */
const leastMessages = 100;
const leastBytes = 64 * 1024;

/** One huge packet never stops its client for longer: what it must acknowledge would make others wait. */
const longestPauseMs = 5000;

/** How often it is looked whether a client may be read again. */
const lookMs = 50;

/** What one client may send: two token buckets, refilled by the time of each chunk. A rate of 0 is no bound. */
export class Throttle {
  readonly #messagesPerMs: number;
  readonly #bytesPerMs: number;
  readonly #messageBurst: number;
  readonly #byteBurst: number;
  #messages: number;
  #bytes: number;
  /** Monotonic. */
  #refilledAt: number;

  constructor(messagesPerSecond: number, bytesPerSecond: number, now: number) {
    this.#messagesPerMs = messagesPerSecond === 0 ? Infinity : messagesPerSecond / 1000;
    this.#bytesPerMs = bytesPerSecond === 0 ? Infinity : bytesPerSecond / 1000;
    this.#messageBurst = burstOf(messagesPerSecond, leastMessages);
    this.#byteBurst = burstOf(bytesPerSecond, leastBytes);
    this.#messages = this.#messageBurst;
    this.#bytes = this.#byteBurst;
    this.#refilledAt = now;
  }

  /** Adds what has been earned until now; true = there is something to spend. */
  refill(now: number): boolean {
    const elapsed = now - this.#refilledAt;
    if (elapsed > 0) {
      this.#refilledAt = now;
      this.#messages = refilled(this.#messages, this.#messagesPerMs, this.#messageBurst, elapsed);
      this.#bytes = refilled(this.#bytes, this.#bytesPerMs, this.#byteBurst, elapsed);
    }
    return this.#messages >= 1 && this.#bytes > 0;
  }

  /** Pays for work of as many messages; felt with the next packet. */
  charge(messages: number): void {
    this.#messages -= messages;
  }

  /** Pays for one packet. False = nothing is left: what comes next has to wait. Acknowledgements cost their bytes. */
  spend(firstByte: number, bytes: number): boolean {
    const type = firstByte >> 4;
    if (type < PacketType.Puback || type > PacketType.Pubcomp) this.#messages--;
    this.#bytes -= bytes;
    return this.#messages >= 1 && this.#bytes > 0;
  }
}

/** `null` where no rate is set. */
export function createThrottle(limits: LimitsConfig, now: number): Throttle | null {
  const { maximumMessageRate = 0, maximumByteRate = 0 } = limits;
  if (maximumMessageRate === 0 && maximumByteRate === 0) return null;
  return new Throttle(maximumMessageRate, maximumByteRate, now);
}

function burstOf(perSecond: number, least: number): number {
  return perSecond === 0 ? Infinity : Math.max(perSecond * burstShare, Math.min(perSecond, least), 1);
}

function refilled(tokens: number, perMs: number, burst: number, elapsed: number): number {
  if (perMs === Infinity) return Infinity;
  return Math.min(Math.max(tokens, -perMs * longestPauseMs) + elapsed * perMs, burst);
}

/** The clients that sent faster than they may: not read until they have earned it. Nothing of theirs is dropped. */
export class Throttles {
  readonly #core: BrokerCore;
  readonly #waiting = new Set<Connection>();
  #timer: Timer | null = null;

  constructor(core: BrokerCore) {
    this.#core = core;
  }

  /** Stops reading this client for a while. */
  slow(connection: Connection): void {
    if (this.#waiting.has(connection)) return;
    this.#core.statistics.reached.rate++;
    this.#waiting.add(connection);
    connection.pause(PauseReason.Rate);
    this.#timer ??= this.#core.clock.every(lookMs, () => this.#look());
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#waiting.clear();
  }

  #look(): void {
    const now = this.#core.clock.monotonic();
    for (const connection of this.#waiting) {
      if (!connection.isEnding && connection.throttle?.refill(now) === false) continue;
      this.#waiting.delete(connection);
      connection.unpause(PauseReason.Rate);
    }
    if (this.#waiting.size === 0) this.stop();
  }
}

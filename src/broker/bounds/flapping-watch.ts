import { createHash } from 'node:crypto';
import type { LimitsConfig } from '#config';
import type { BrokerCore } from '../core.ts';
import { localAddress } from './admission.ts';
import { networkOf } from './network-of.ts';

/** Clients that are watched at a time; the one that came first is forgotten. */
const maximumWatched = 10_000;

/** A longer client id is watched by its digest, so that an entry stays small. */
const longestKey = 64;

interface Watched {
  /** Monotonic beginning of its window. */
  since: number;
  connects: number;
  /** Monotonic; 0 = it is not banned. */
  bannedUntil: number;
}

/**
 * Refuses, for a while, a client that connects over and over: a device in a loop, two that fight over one id, somebody
 * who tries passwords. Counted before it signs in, because signing in is what costs.
 */
export class FlappingWatch {
  readonly #core: BrokerCore;
  readonly #watched = new Map<string, Watched>();

  constructor(core: BrokerCore) {
    this.#core = core;
  }

  /** Counts a CONNECT; false = this client id is refused from this address for now. */
  mayConnect(clientId: string, address: string, limits: LimitsConfig): boolean {
    const { clock, statistics } = this.#core;
    const { flappingConnects = 0, flappingWindowMs = 60_000, flappingBanMs = 60_000 } = limits;
    if (flappingConnects === 0 || address === localAddress) return true;
    const now = clock.monotonic();
    const watched = this.#watch(keyOf(clientId, address), now, flappingWindowMs);
    watched.connects++;
    if (watched.bannedUntil === 0 && watched.connects > flappingConnects) {
      watched.bannedUntil = now + flappingBanMs;
      statistics.clientsBanned++;
      // The only line about it: the refusals that follow are told of nowhere.
      const effect = `connects too often and is refused for ${flappingBanMs / 1000} s`;
      const fields = { address, connects: watched.connects };
      this.#core.sparing.warning(`client ${clientId} ${effect}`, fields, `a client ${effect}`);
    }
    if (watched.bannedUntil === 0) return true;
    statistics.reached.flapping++;
    return false;
  }

  #watch(key: string, now: number, windowMs: number): Watched {
    const known = this.#watched.get(key);
    if (known !== undefined) {
      const isOver = known.bannedUntil === 0 ? now - known.since > windowMs : now >= known.bannedUntil;
      if (!isOver) return known;
      this.#watched.delete(key);
    }
    const watched = { since: now, connects: 0, bannedUntil: 0 };
    this.#watched.set(key, watched);
    if (this.#watched.size > maximumWatched) this.#forgetFirst();
    return watched;
  }

  #forgetFirst(): void {
    for (const key of this.#watched.keys()) {
      this.#watched.delete(key);
      return;
    }
  }
}

function keyOf(clientId: string, address: string): string {
  const id =
    clientId.length <= longestKey ? clientId : createHash('sha256').update(clientId).digest('base64');
  return `${networkOf(address)} ${id}`;
}

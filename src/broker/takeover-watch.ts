import type { BrokerCore } from './core.ts';

const windowMs = 60_000;
/** More take-overs of one client id than this in a window are a fight. */
const maximumTakeovers = 3;
/** Client ids that are watched at a time; the oldest is forgotten. */
const maximumWatched = 1000;

interface Watched {
  since: number;
  takeovers: number;
  isTold: boolean;
}

/**
 * Notices when two devices carry the same client id: the standard makes each throw the other out, for ever, and
 * nothing else would tell anybody.
 */
export class TakeoverWatch {
  readonly #core: BrokerCore;
  readonly #watched = new Map<string, Watched>();

  constructor(core: BrokerCore) {
    this.#core = core;
  }

  /** A live connection of this client id lost its session to another. */
  record(clientId: string, formerAddress: string, address: string): void {
    const now = this.#core.clock.monotonic();
    let watched = this.#watched.get(clientId);
    if (watched === undefined || now - watched.since > windowMs) {
      watched = { since: now, takeovers: 0, isTold: false };
      this.#watched.delete(clientId);
      this.#watched.set(clientId, watched);
      this.#forgetOldest();
    }
    watched.takeovers++;
    if (watched.isTold || watched.takeovers <= maximumTakeovers) return;
    watched.isTold = true;
    this.#core.statistics.clientIdFights++;
    const who = formerAddress === address ? `both at ${address}` : `at ${formerAddress} and ${address}`;
    this.#core.sparing.warning(
      `two devices fight over client id ${clientId}, ${who}; give each its own id or name it in shared_client_ids`,
      { takeovers: watched.takeovers },
      'two devices fight over a client id',
    );
  }

  #forgetOldest(): void {
    if (this.#watched.size <= maximumWatched) return;
    for (const clientId of this.#watched.keys()) {
      this.#watched.delete(clientId);
      return;
    }
  }
}

import { availableParallelism } from 'node:os';
import { networkOf } from '#broker';

const maximumWaiting = 1024;

/**
 * The journal writes through the same four threads, and messages are handled by a processor that has to be free for them:
 * never more than two, and one processor is left where there are several.
 */
const maximumAtOnce = Math.min(2, Math.max(1, availableParallelism() - 1));

/** Whose password is to be verified. */
export interface Applicant {
  readonly address: string;
  /** False as soon as nobody waits for the answer any more. Absent = somebody always does. */
  readonly isWaiting?: () => boolean;
}

interface Place {
  readonly applicant: Applicant;
  readonly resolve: (isTurn: boolean) => void;
}

/** Somebody of this program. */
export const localApplicant: Applicant = { address: 'local' };

/**
 * Whose turn it is to have a password verified, which takes tens of milliseconds of a processor. One or two run at once
 * and 1,024 wait. Addresses take turns, so that one with thousands of wrong passwords makes itself wait and hardly anybody
 * else; at the bound the newest of the address with the most makes way. Whoever is gone, or out of time, costs nothing.
 */
export class HashTurns {
  readonly #atOnce: number;
  /** By network; the first is the next to have a turn. None is empty. */
  readonly #lines = new Map<string, Place[]>();
  #running = 0;
  #waiting = 0;

  constructor(atOnce: number = maximumAtOnce) {
    this.#atOnce = atOnce;
  }

  /** Whether it is this one's turn, when that is known. True: `leave` has to follow. False: it has to come again. */
  enter(applicant: Applicant): boolean | Promise<boolean> {
    if (this.#running < this.#atOnce) {
      this.#running++;
      return true;
    }
    const network = networkOf(applicant.address);
    if (this.#waiting >= maximumWaiting && !this.#makeRoom(network)) return false;
    return new Promise((resolve) => {
      const place = { applicant, resolve };
      const line = this.#lines.get(network);
      if (line === undefined) this.#lines.set(network, [place]);
      else line.push(place);
      this.#waiting++;
    });
  }

  /** Hands the turn to the next address. */
  leave(): void {
    for (const [network, line] of this.#lines) {
      this.#lines.delete(network);
      const place = this.#nextOf(line);
      // It is the last of the addresses now.
      if (line.length > 0) this.#lines.set(network, line);
      if (place === undefined) continue;
      place.resolve(true);
      return;
    }
    this.#running--;
  }

  /** The first of a line that still waits. */
  #nextOf(line: Place[]): Place | undefined {
    for (let place = line.shift(); place !== undefined; place = line.shift()) {
      this.#waiting--;
      if (isWanted(place)) return place;
      place.resolve(false);
    }
    return undefined;
  }

  /** Takes out those who are gone, or else the newest of the address with the most. False = that is this one's. */
  #makeRoom(network: string): boolean {
    let longest: Place[] = [];
    for (const [key, line] of this.#lines) {
      const wanted = line.filter(isWanted);
      if (wanted.length < line.length) {
        for (const place of line) if (!isWanted(place)) place.resolve(false);
        this.#waiting -= line.length - wanted.length;
        if (wanted.length === 0) this.#lines.delete(key);
        else this.#lines.set(key, wanted);
      }
      if (wanted.length > longest.length) longest = wanted;
    }
    if (this.#waiting < maximumWaiting) return true;
    const own = this.#lines.get(network)?.length ?? 0;
    if (longest.length <= own + 1) return false;
    this.#waiting--;
    longest.pop()?.resolve(false);
    return true;
  }
}

function isWanted({ applicant }: Place): boolean {
  return applicant.isWaiting?.() ?? true;
}

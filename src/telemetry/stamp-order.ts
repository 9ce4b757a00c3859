import type { EpochMs } from '#model';
import { isLater } from './stamp.ts';

/** Runs of its site's broker that are remembered of one device. */
const rememberedRuns = 32;

/** What tells when a site accepted a message. */
interface Stamped {
  readonly stampId: string;
  readonly receivedAt: EpochMs;
}

interface Run {
  readonly site: string;
  readonly rank: number;
}

/**
 * Which of two messages of one device was accepted later. A *run* is the time between two starts of a site's broker;
 * stamps name theirs in front of the dash. Within a run the count decides, between runs of one site the order in which
 * they first came here, because links keep the order: a site that starts with its clock behind (no battery, no time
 * server yet) would else seem to send what is long known, and its readings would be thrown away. Time decides between
 * sites, and where a run is not known.
 */
export class StampOrder {
  readonly #runs = new Map<string, Run>();
  #rank = 0;
  /** Run of the message before, with the dash. */
  #last = '-';

  /** Notes the run of a message that has come; true = it is the first of its run, and its site had others. */
  note(stampId: string, topic: string): boolean {
    if (stampId === '' || stampId.startsWith(this.#last)) return false;
    const run = runOf(stampId);
    this.#last = run;
    if (this.#runs.has(run)) return false;
    const site = siteOf(topic);
    const hasOthers = [...this.#runs.values()].some((other) => other.site === site);
    this.#runs.set(run, { site, rank: ++this.#rank });
    if (this.#runs.size > rememberedRuns) {
      for (const oldest of this.#runs.keys()) {
        this.#runs.delete(oldest);
        break;
      }
    }
    return hasOthers;
  }

  /** Whether `a` was accepted after `b`. */
  isLater(a: Stamped, b: Stamped): boolean {
    const run = runOf(a.stampId);
    if (run !== '' && !b.stampId.startsWith(run)) {
      const [one, other] = [this.#runs.get(run), this.#runs.get(runOf(b.stampId))];
      if (one !== undefined && one.site === other?.site) return one.rank > other.rank;
    }
    return isLater(a.stampId, a.receivedAt, b.stampId, b.receivedAt);
  }
}

/** With the dash; empty where there is no stamp. */
function runOf(stampId: string): string {
  return stampId.slice(0, stampId.indexOf('-') + 1);
}

/** What in a topic names the site: the address in a legacy one, tenant and name in a native one. */
function siteOf(topic: string): string {
  const [first, second = '', third = '', fourth = ''] = topic.split('/', 4);
  return first === 'davy' ? `${third}/${fourth}` : second;
}

import type { HookMessage } from '#broker';
import type { PublishPacket } from '#mqtt';
import { naiveMatches } from '../../src/topics/naive-oracle.ts';
import { FuzzFault } from './fuzz-fault.ts';
import type { Random } from './random.ts';

interface Watched {
  readonly topic: string;
  readonly text: string;
  readonly qos: number;
}

type Filters = readonly (readonly [filter: string, qos: 0 | 1 | 2])[];

const filtersToWatch: readonly Filters[] = [
  [['#', 2]],
  [['a/#', 1]],
  [
    ['+/b', 2],
    ['a', 0],
  ],
  [
    ['#', 0],
    ['$x/#', 2],
  ],
  [
    ['a/+', 1],
    ['a/b', 2],
    ['+/+', 0],
  ],
];

/** What a good subscriber got, held against what was published. */
export class WatchBook {
  readonly filters: Filters;
  /** Messages for the watcher that the broker dropped, and told. */
  dropped = 0;
  readonly #copiesEach: boolean;
  #expected: Watched[] = [];
  #watched: Watched[] = [];

  /** `copiesEach`: of a message that several filters match there comes one copy for each. */
  constructor(random: Random, copiesEach: boolean) {
    this.filters = random.pick(filtersToWatch);
    this.#copiesEach = copiesEach;
  }

  onPublished({ topic, payload, qos }: HookMessage): void {
    const matching = this.filters.filter(([filter]) => naiveMatches(filter, topic));
    if (matching.length === 0) return;
    const wanted = matching.map(([, most]) => most);
    const copies = this.#copiesEach ? wanted : [Math.max(...wanted)];
    for (const one of copies)
      this.#expected.push({ topic, text: shortText(payload), qos: Math.min(qos, one) });
  }

  onReceived({ topic, payload, qos }: PublishPacket): void {
    this.#watched.push({ topic, text: shortText(payload), qos });
  }

  /** What the watcher got is what was published, in order, but for what was dropped and counted. */
  compare(): void {
    const missing = this.#expected.length - this.#watched.length;
    if (missing !== this.dropped) {
      throw new FuzzFault(
        `the watcher got ${this.#watched.length} of ${this.#expected.length}, and ${this.dropped} are counted as dropped`,
      );
    }
    for (const isTracked of [false, true]) {
      const expected = this.#expected.filter(({ qos }) => qos > 0 === isTracked).map(describe);
      let at = 0;
      for (const got of this.#watched.filter(({ qos }) => qos > 0 === isTracked).map(describe)) {
        at = this.#copiesEach ? Math.max(0, at - 3) : at;
        at = expected.indexOf(got, at) + 1;
        if (at === 0) throw new FuzzFault(`the watcher got this out of order or for nothing: ${got}`);
      }
    }
    this.#expected = [];
    this.#watched = [];
    this.dropped = 0;
  }
}

function describe({ topic, text, qos }: Watched): string {
  return `${qos} ${JSON.stringify(topic)} ${text}`;
}

function shortText(payload: Buffer): string {
  return `${payload.length}:${payload.toString('latin1', 0, 16)}`;
}

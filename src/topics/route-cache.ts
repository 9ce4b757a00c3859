/**
 * Remembers what was computed for a topic, for one generation of the tree it was computed from. Bounded: when it is
 * full it is emptied as a whole, which costs one look-up per live topic and needs no order of use.
 */
export class RouteCache<R> {
  readonly #maximumEntries: number;
  readonly #routes = new Map<string, R>();
  #generation = 0;

  constructor(maximumEntries: number) {
    this.#maximumEntries = maximumEntries;
  }

  get size(): number {
    return this.#routes.size;
  }

  /** The route of a topic, or `undefined` when it is not known for this generation. */
  get(topic: string, generation: number): R | undefined {
    return generation === this.#generation ? this.#routes.get(topic) : undefined;
  }

  set(topic: string, generation: number, route: R): void {
    if (generation !== this.#generation || this.#routes.size >= this.#maximumEntries) {
      this.#routes.clear();
      this.#generation = generation;
    }
    this.#routes.set(topic, route);
  }
}

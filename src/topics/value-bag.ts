/** From this size on an index is worth its memory: most filters have one or two subscribers. */
const indexFrom = 16;

/**
 * A set in an array: walked without an iterator, and changed in constant time however large it is.
 * Invariant: `#index` is `null`, or maps every item to its place in `items`.
 */
export class ValueBag<T> {
  readonly items: T[] = [];
  #index: Map<T, number> | null = null;

  /** False when the value is in it already. */
  add(value: T): boolean {
    if (this.#placeOf(value) !== -1) return false;
    this.items.push(value);
    if (this.#index !== null) this.#index.set(value, this.items.length - 1);
    else if (this.items.length === indexFrom)
      this.#index = new Map(this.items.map((item, place) => [item, place]));
    return true;
  }

  /** False when the value is not in it. The last item takes the free place. */
  delete(value: T): boolean {
    const place = this.#placeOf(value);
    if (place === -1) return false;
    const last = this.items.pop() as T;
    this.#index?.delete(value);
    if (place < this.items.length) {
      this.items[place] = last;
      this.#index?.set(last, place);
    }
    return true;
  }

  #placeOf(value: T): number {
    return this.#index === null ? this.items.indexOf(value) : (this.#index.get(value) ?? -1);
  }
}

/** From this size on an index is worth its memory: most filters have one or two subscribers. */
const indexFrom = 16;

/**
 * A set in an array: walked without an iterator, and changed in constant time however large it is.
 * Invariant: `#index` is `null`, or maps every item to its place in `items`.
 */
class ValueBag<T> {
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

/** What stands at one place of the tree. Alone it stands there itself: most filters have one subscriber. */
export type Values<T> = T | ValueBag<T>;

export function countOf<T>(values: Values<T> | null): number {
  if (values === null) return 0;
  return values instanceof ValueBag ? values.items.length : 1;
}

/** The values with one more, or as they are where it is among them. */
export function withValue<T>(values: Values<T> | null, value: T): Values<T> {
  if (values === null || values === value) return value;
  if (values instanceof ValueBag) {
    values.add(value);
    return values;
  }
  const bag = new ValueBag<T>();
  bag.add(values);
  bag.add(value);
  return bag;
}

/** The values without one, or as they are where it is not among them; `null` when none is left. */
export function withoutValue<T>(values: Values<T>, value: T): Values<T> | null {
  if (!(values instanceof ValueBag)) return values === value ? null : values;
  values.delete(value);
  return values.items.length === 1 ? (values.items[0] as T) : values;
}

export function pushValues<T>(values: Values<T>, into: T[]): void {
  if (!(values instanceof ValueBag)) {
    into.push(values);
    return;
  }
  const { items } = values;
  for (let i = 0; i < items.length; i++) into.push(items[i] as T);
}

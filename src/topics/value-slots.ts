import type { Values } from './value-bag.ts';

/** Values by a small number, which is used again when they are gone. Number 0 is nobody's. */
export class ValueSlots<T> {
  readonly #slots: (Values<T> | null)[] = [null];
  readonly #free: number[] = [];

  at(slot: number): Values<T> {
    return this.#slots[slot] as Values<T>;
  }

  /** Puts values into a slot, or into a new one where there is none yet (0). Returns its number. */
  put(slot: number, values: Values<T>): number {
    const place = slot === 0 ? (this.#free.pop() ?? this.#slots.length) : slot;
    if (place === this.#slots.length) this.#slots.push(values);
    else this.#slots[place] = values;
    return place;
  }

  free(slot: number): void {
    this.#slots[slot] = null;
    this.#free.push(slot);
  }
}

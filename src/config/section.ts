import { DavylampError } from '#base';
import type { Value } from './key-value.ts';
import type { Place } from './toml-lines.ts';

/** A table that was read by the schema: its values are of the types that the schema gives them, defaults included. */
export class Section {
  /** For people: `broker`, `listener detectors`. */
  readonly title: string;
  readonly place: Place;
  readonly values = new Map<string, Value>();
  /** Keys that stand in the file. */
  readonly given = new Set<string>();
  readonly children = new Map<string, Section[]>();

  constructor(title: string, place: Place) {
    this.title = title;
    this.place = place;
  }

  text(key: string): string {
    const value = this.values.get(key);
    return typeof value === 'string' ? value : this.#unexpected(key);
  }

  number(key: string): number {
    const value = this.values.get(key);
    return typeof value === 'number' ? value : this.#unexpected(key);
  }

  boolean(key: string): boolean {
    const value = this.values.get(key);
    return typeof value === 'boolean' ? value : this.#unexpected(key);
  }

  texts(key: string): readonly string[] {
    const value = this.values.get(key);
    return Array.isArray(value) ? value.map(String) : this.#unexpected(key);
  }

  textOrNull(key: string): string | null {
    return this.values.get(key) === null ? null : this.text(key);
  }

  numberOrNull(key: string): number | null {
    return this.values.get(key) === null ? null : this.number(key);
  }

  booleanOrNull(key: string): boolean | null {
    return this.values.get(key) === null ? null : this.boolean(key);
  }

  has(key: string): boolean {
    return this.given.has(key);
  }

  /** The tables of that name below this one, in the order of the file. */
  all(key: string): readonly Section[] {
    return this.children.get(key) ?? [];
  }

  #unexpected(key: string): never {
    throw new DavylampError(
      'BUG',
      `configuration key ${key} of ${this.title} is not of the type that is read`,
    );
  }
}

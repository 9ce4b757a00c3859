import { DavylampError } from '#base';
import type { ConfPlace } from './conf-file.ts';
import type { ConfValue } from './keyword.ts';
import { keywordDefault } from './keywords.ts';

/** A value and the line that gives it. */
export interface Given extends ConfPlace {
  readonly value: ConfValue;
}

/** The keywords of one listener, one bridge, or the whole broker. Values are of the types that the table gives them. */
export class ConfSection {
  /** For people: `listener 1883`; empty for the whole broker. */
  readonly title: string;
  /** Where it begins. */
  readonly place: ConfPlace;
  readonly #given = new Map<string, Given[]>();

  constructor(title: string, place: ConfPlace) {
    this.title = title;
    this.place = place;
  }

  add(name: string, given: Given): void {
    const before = this.#given.get(name);
    if (before === undefined) this.#given.set(name, [given]);
    else before.push(given);
  }

  has(name: string): boolean {
    return this.#given.has(name);
  }

  all(name: string): readonly Given[] {
    return this.#given.get(name) ?? [];
  }

  /** The last line with that keyword; where there is none, where the section begins. */
  placeOf(name: string): ConfPlace {
    return this.#given.get(name)?.at(-1) ?? this.place;
  }

  flag(name: string): boolean {
    return this.flagOrNull(name) ?? this.#unexpected(name);
  }

  flagOrNull(name: string): boolean | null {
    const value = this.#last(name);
    return value === null || typeof value === 'boolean' ? value : this.#unexpected(name);
  }

  integer(name: string): number {
    return this.integerOrNull(name) ?? this.#unexpected(name);
  }

  integerOrNull(name: string): number | null {
    const value = this.#last(name);
    return value === null || typeof value === 'number' ? value : this.#unexpected(name);
  }

  text(name: string): string {
    return this.textOrNull(name) ?? this.#unexpected(name);
  }

  textOrNull(name: string): string | null {
    const value = this.#last(name);
    return value === null || typeof value === 'string' ? value : this.#unexpected(name);
  }

  #last(name: string): ConfValue | null {
    return this.#given.get(name)?.at(-1)?.value ?? keywordDefault(name);
  }

  #unexpected(name: string): never {
    throw new DavylampError('BUG', `mosquitto.conf keyword ${name} is not of the type that is read`);
  }
}

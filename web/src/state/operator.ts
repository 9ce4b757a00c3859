import { signal, type ReadonlySignal } from '@preact/signals';

const key = 'davylamp.operator';
const maximumLength = 60;

/** Who sits at this screen: asked once, kept on this machine, written beside everything they do. */
export class Operator {
  readonly #storage: Storage | null;
  readonly #name = signal('');

  /** `storage` may be `null` where the browser keeps nothing: then the name lasts as long as the page. */
  constructor(storage: Storage | null) {
    this.#storage = storage;
    this.#name.value = cleanName(storage?.getItem(key) ?? '');
  }

  /** Empty until it was asked for. */
  get name(): ReadonlySignal<string> {
    return this.#name;
  }

  rename(name: string): void {
    this.#name.value = cleanName(name);
    try {
      this.#storage?.setItem(key, this.#name.value);
    } catch {
      // storage is full or forbidden: the name still holds for this page
    }
  }
}

/** A name in one line of sensible length, without control characters: those are refused by the server. */
export function cleanName(text: string): string {
  return text.replaceAll(/\s+/g, ' ').replaceAll(/\p{C}/gu, '').trim().slice(0, maximumLength);
}

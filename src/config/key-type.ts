/** The kinds of value that a key may have, as data: validation and the reference page are made from it. */
export type KeyType =
  | { readonly kind: 'text' }
  /** A topic level and a part of URLs: 1–64 of `A-Z a-z 0-9 _ . -`. */
  | { readonly kind: 'name' }
  | { readonly kind: 'choice'; readonly values: readonly (string | number)[] }
  | { readonly kind: 'integer'; readonly minimum: number; readonly maximum: number }
  | { readonly kind: 'number'; readonly minimum: number; readonly maximum: number }
  | { readonly kind: 'boolean' }
  /** In `unit`; texts such as `100ms`, `5s`, `10m`, `1h`, `7d` are converted to it. */
  | {
      readonly kind: 'duration';
      readonly unit: 'ms' | 's';
      readonly minimum: number;
      readonly maximum: number;
      /** Whole numbers only, where absent. */
      readonly fraction?: true;
    }
  /** In bytes; texts such as `64kB`, `1MiB` are converted. */
  | { readonly kind: 'size'; readonly minimum: number; readonly maximum: number }
  /** Relative to the configuration file's folder. */
  | { readonly kind: 'path' }
  | { readonly kind: 'filter' }
  /** What stands before a topic: no wildcards; may be empty. */
  | { readonly kind: 'prefix' }
  /** A MAC address or a device id. */
  | { readonly kind: 'device' }
  | { readonly kind: 'list'; readonly of: KeyType };

/** What a change of a key takes at a reload: nothing, the connections concerned, or a new start. */
type ReloadClass = 'live' | 'reconnect' | 'restart';

/** One key of one table. */
export interface KeySpec {
  readonly key: string;
  readonly type: KeyType;
  /** `undefined`: the key must be given. `null`: absent, or computed as `defaultText` says. */
  readonly default: string | number | boolean | readonly (string | number)[] | null | undefined;
  readonly defaultText?: string;
  readonly reload: ReloadClass;
  readonly description: string;
}

/** One table: `[broker]`, or one of `[[listener]]`. */
export interface TableSpec {
  readonly key: string;
  /** `one`: `[key]`. `many`: `[[key]]`. `map`: the keys are the user's, all of the one type. */
  readonly form: 'one' | 'many' | 'map';
  readonly description: string;
  readonly keys: readonly KeySpec[];
  readonly tables: readonly TableSpec[];
  /** Of a `map`: what its values are. */
  readonly values?: KeyType;
}

export const second = 1000;
export const minute = 60 * second;
export const hour = 60 * minute;
export const kib = 1024;
export const mib = 1024 * kib;

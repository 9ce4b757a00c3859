/** What stands behind a keyword of mosquitto.conf. */
export type ConfValue = string | number | boolean;

/** The form of a keyword's value. */
export type ConfValueType =
  | { readonly kind: 'boolean' }
  | {
      readonly kind: 'integer';
      readonly minimum: number;
      readonly maximum: number;
      /** What is below the minimum is taken as the minimum, as Mosquitto does; else it is a fault. */
      readonly isRaised?: boolean;
    }
  /** The rest of the line, spaces included. */
  | { readonly kind: 'text' }
  /** The rest of the line, made absolute. */
  | { readonly kind: 'path' }
  | { readonly kind: 'choice'; readonly values: readonly string[] }
  /** Several words, in the form that is shown. */
  | { readonly kind: 'words'; readonly form: string };

/** Where a keyword counts. */
type ConfScope =
  /** For the whole broker, wherever it stands. */
  | 'broker'
  /** For the whole broker; with `per_listener_settings true` for the listener before it. */
  | 'security'
  /** For the listener before it. */
  | 'listener'
  /** For the bridge before it. */
  | 'bridge'
  /** For the plugin before it. */
  | 'plugin';

/**
 * `honoured`: it does here what it does in Mosquitto; `warned`: it is let pass, does nothing (or less), and a line says
 * so; `refused`: the file is not run with it.
 */
export type ConfStatus = 'honoured' | 'warned' | 'refused';

/** One keyword of mosquitto.conf(5): from these come the reader and the reference page. */
export interface ConfKeyword {
  readonly name: string;
  /** Older names of the same. */
  readonly aliases?: readonly string[];
  /** The name is the beginning of many. */
  readonly isPrefix?: boolean;
  readonly scope: ConfScope;
  readonly status: ConfStatus;
  readonly type: ConfValueType;
  /** `null`: there is none. */
  readonly default: ConfValue | null;
  /** The default for people, where `default` does not say it. */
  readonly defaultText?: string;
  /** May stand several times in one place: each adds to the others. */
  readonly isList?: boolean;
  /** May stand twice in one place although it is a text: the last one counts. */
  readonly mayRepeat?: boolean;
  /** Listeners: before the first `listener` it opens the default listener (port 1883); else it needs one before it. */
  readonly opensDefault?: boolean;
  /** For `warned` and `refused`: why, and what to do. */
  readonly advice?: string;
  /** These values pass without a word although the status is not `honoured`. */
  readonly harmless?: readonly ConfValue[];
  readonly meaning: string;
  /** Where it works in another way than in Mosquitto, and why that is better. */
  readonly difference?: string;
}

/** The whole range of a C `int`, as Mosquitto reads numbers. */
export const intMaximum = 2_147_483_647;
export const intMinimum = -2_147_483_648;

export const flag: ConfValueType = { kind: 'boolean' };
export const text: ConfValueType = { kind: 'text' };
export const path: ConfValueType = { kind: 'path' };

/** A whole number. */
export function integer(minimum: number, maximum = intMaximum): ConfValueType {
  return { kind: 'integer', minimum, maximum };
}

/** A whole number; what is below the minimum is taken as the minimum. */
export function raised(minimum: number, maximum = intMaximum): ConfValueType {
  return { kind: 'integer', minimum, maximum, isRaised: true };
}

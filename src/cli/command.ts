import { parseArgs } from 'node:util';
import { DavylampError } from '#base';

/** One option of a command, as data: help, parsing and the reference page are made from it. */
export interface OptionSpec {
  readonly name: string;
  readonly short?: string;
  /** Only the short form exists: the name is for the code alone. */
  readonly isShortOnly?: boolean;
  /** What the value is called in the help, e.g. `FILE`; absent for a switch. */
  readonly value?: string;
  readonly summary: string;
}

export interface CommandSpec {
  /** As typed: `demo`, `demo status`, `site`. */
  readonly name: string;
  readonly summary: string;
  /** What follows the name in the usage line for arguments that are not options, e.g. `SITE/DETECTOR`. */
  readonly positionals?: string;
  readonly options: readonly OptionSpec[];
  /**
   * The command keeps the habits of another program and reads its words itself: order counts, a value may look like an
   * option, `-h` is not help. All words come as positionals.
   */
  readonly readsOwnWords?: boolean;
  /** Lines at the end of the help, such as exit codes of its own. */
  readonly notes?: readonly string[];
  /** Ends with the exit code. Throws `DavylampError` for what a person can mend. */
  run(args: ParsedArgs, context: CommandContext): Promise<number>;
}

export interface CommandContext {
  readonly print: (line: string) => void;
  readonly printError: (line: string) => void;
}

/** The options and arguments of one call. */
export class ParsedArgs {
  readonly positionals: readonly string[];
  readonly #command: string;
  readonly #values: ReadonlyMap<string, string | true>;

  constructor(command: string, values: ReadonlyMap<string, string | true>, positionals: readonly string[]) {
    this.#command = command;
    this.#values = values;
    this.positionals = positionals;
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  text(name: string): string | undefined {
    const value = this.#values.get(name);
    return value === true ? undefined : value;
  }

  required(name: string, placeholder: string): string {
    const value = this.text(name);
    if (value === undefined) throw usage(this.#command, `--${name} ${placeholder} is missing`);
    return value;
  }

  /** A number from `minimum` to `maximum`; `undefined` when the option is absent. */
  number(name: string, minimum: number, maximum: number): number | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    const number = value.trim() === '' ? Number.NaN : Number(value);
    if (!(number >= minimum && number <= maximum)) {
      throw usage(this.#command, `--${name} takes a number from ${minimum} to ${maximum}, not '${value}'`);
    }
    return number;
  }
}

export function usage(command: string, what: string): DavylampError {
  return new DavylampError(
    'USAGE',
    `davylamp ${command}: ${what}; 'davylamp ${command} --help' lists what it takes`,
  );
}

/** Reads the arguments behind a command's name. Throws USAGE for an unknown option, a missing value, too many words. */
export function parseCommandArgs(spec: CommandSpec, argv: readonly string[]): ParsedArgs {
  if (spec.readsOwnWords === true) return new ParsedArgs(spec.name, new Map(), argv);
  const known = [...spec.options, helpOption];
  const { tokens } = parseArgs({
    args: [...argv],
    options: Object.fromEntries(
      known.map((option) => [
        option.name,
        {
          type: option.value === undefined ? ('boolean' as const) : ('string' as const),
          ...(option.short === undefined ? {} : { short: option.short }),
        },
      ]),
    ),
    strict: false,
    tokens: true,
  });
  const values = new Map<string, string | true>();
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value);
    if (token.kind !== 'option') continue;
    const option = known.find((candidate) => candidate.name === token.name);
    if (option === undefined)
      throw usage(spec.name, `unknown option ${token.rawName}${suggestion(token.rawName, known)}`);
    if (option.value === undefined && token.value !== undefined)
      throw usage(spec.name, `--${option.name} takes no value`);
    if (option.value !== undefined && (token.value === undefined || token.value.startsWith('--'))) {
      throw usage(spec.name, `--${option.name} needs a value (${option.value})`);
    }
    if (option.value !== undefined && values.has(option.name))
      throw usage(spec.name, `--${option.name} is given twice; give it once`);
    values.set(option.name, token.value ?? true);
  }
  const allowed = spec.positionals === undefined ? 0 : spec.positionals.split(' ').length;
  const extra = positionals[allowed];
  if (extra !== undefined) throw usage(spec.name, `unexpected argument '${extra}'`);
  return new ParsedArgs(spec.name, values, positionals);
}

export const helpOption: OptionSpec = { name: 'help', short: 'h', summary: 'Show this help' };

function suggestion(raw: string, known: readonly OptionSpec[]): string {
  const near = nearest(
    raw.replace(/^-+/, ''),
    known.map((option) => option.name),
  );
  return near === undefined ? '' : `; did you mean --${near}?`;
}

/** The word of `words` that is at most two letters away from `word`, if there is one. */
export function nearest(word: string, words: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = 3;
  for (const candidate of words) {
    const distance = editDistance(word, candidate);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Levenshtein's distance. Words come from a command line, so they are short. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min(substitution, (previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}

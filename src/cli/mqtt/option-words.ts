import { nearest, usage } from '../command.ts';
import { toolOptions, type ToolName, type ToolOption } from './options.ts';

/** One option as it was given; `values` are the words that it took. */
export interface OptionUse {
  readonly option: ToolOption;
  readonly values: readonly string[];
}

/**
 * Reads words as the mosquitto tools do: an option is a word of its own, its value is the next word whatever that looks
 * like, and later ones win. Throws USAGE.
 */
export function readOptionWords(tool: ToolName, words: readonly string[]): readonly OptionUse[] {
  const known = new Map<string, ToolOption>();
  for (const option of toolOptions(tool)) {
    if (option.short !== undefined) known.set(`-${option.short}`, option);
    if (option.isShortOnly !== true) known.set(`--${option.name}`, option);
  }
  const uses: OptionUse[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    const option = known.get(word);
    if (option === undefined) throw usage(tool, unknownOption(word, [...known.keys()]));
    const count = valueCount(option, words, at);
    const values = words.slice(at + 1, at + 1 + count);
    if (values.length < count) throw usage(tool, `${word} needs a value (${option.value})`);
    uses.push({ option, values });
    at += count;
  }
  return uses;
}

function valueCount(option: ToolOption, words: readonly string[], at: number): number {
  if (option.value === undefined) return 0;
  if (option.name !== 'property') return 1;
  return words[at + 2] === 'user-property' ? 4 : 3;
}

function unknownOption(word: string, known: readonly string[]): string {
  if (!word.startsWith('-')) return `unexpected argument '${word}'`;
  // Short words are near to everything.
  const near = word.startsWith('--') && word.length > 6 ? nearest(word, known) : undefined;
  return `unknown option ${word}${near === undefined ? '' : `; did you mean ${near}?`}`;
}

/**
 * The words of an options file: a line each of the form `-option value`, where the value is the rest of the line; lines
 * that begin with `#` say nothing.
 */
export function optionFileWords(text: string): readonly string[] {
  const words: string[] = [];
  for (const raw of text.split('\n')) {
    const line = raw.replace(/\r+$/, '');
    if (line.startsWith('#')) continue;
    const [, name, rest] = /^ *([^ ]+) ?(.*)$/.exec(line) ?? [];
    if (name === undefined) continue;
    words.push(name);
    if (rest === undefined || rest === '') continue;
    // A property has several words, the last of which may hold spaces.
    if (name === '-D' || name === '--property') words.push(...propertyWords(rest));
    else words.push(rest);
  }
  return words;
}

function propertyWords(rest: string): readonly string[] {
  const parts = rest.split(' ').filter((part) => part !== '');
  const fixed = parts[1] === 'user-property' ? 3 : 2;
  return parts.length <= fixed ? parts : [...parts.slice(0, fixed), parts.slice(fixed).join(' ')];
}

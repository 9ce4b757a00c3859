import { resolve } from 'node:path';
import type { ConfKeyword, ConfValue, ConfValueType } from './keyword.ts';

/** A value that was read, or why it was not. */
export type ConfReading =
  | { readonly value: ConfValue; readonly notice?: string }
  | { readonly fault: string };

const longestText = 65_535;

/** Reads what stands behind a keyword. `name`: the keyword as it stands in the file. */
export function readConfValue(keyword: ConfKeyword, name: string, rest: string, folder: string): ConfReading {
  const { type } = keyword;
  if (rest === '') return { fault: `${name} needs a value: ${allowedByConf(type)}` };
  if (rest.includes('\u{FFFD}') || rest.includes('\0')) return { fault: `${name}: the value is not UTF-8` };
  switch (type.kind) {
    case 'text':
    case 'path':
      return textOf(type.kind, name, rest, folder);
    case 'words':
      return { value: rest };
    default:
      return oneWord(type, name, rest);
  }
}

function textOf(kind: 'text' | 'path', name: string, rest: string, folder: string): ConfReading {
  if (Buffer.byteLength(rest) > longestText)
    return { fault: `${name}: the value is longer than ${longestText} bytes` };
  const value = kind === 'path' ? resolve(folder, rest) : rest;
  if (!/\s#/.test(rest)) return { value };
  return {
    value,
    notice: `${name}: # and what follows is part of the value; a comment has a line of its own`,
  };
}

function oneWord(
  type: Extract<ConfValueType, { kind: 'boolean' | 'integer' | 'choice' }>,
  name: string,
  rest: string,
): ConfReading {
  const [word = ''] = rest.split(/\s/, 1);
  const more = rest.slice(word.length).trim();
  const notices = more === '' || more.startsWith('#') ? [] : [`${name}: ${quote(more)} is not looked at`];
  let value: ConfValue | undefined;
  if (type.kind === 'boolean') value = booleanOf(word);
  else if (type.kind === 'choice') value = type.values.includes(word) ? word : undefined;
  else value = integerOf(word);
  if (type.kind === 'integer' && typeof value === 'number') {
    if (value < type.minimum && type.isRaised === true) {
      if (type.minimum > 0) notices.push(`${name} ${word} is too low; ${type.minimum} is used`);
      value = type.minimum;
    }
    if (value < type.minimum || value > type.maximum) value = undefined;
  }
  if (value === undefined) return { fault: `${name} must be ${allowedByConf(type)}, not ${quote(word)}` };
  return notices.length === 0 ? { value } : { value, notice: notices.join('; ') };
}

function booleanOf(word: string): boolean | undefined {
  if (word === 'true' || word === '1') return true;
  return word === 'false' || word === '0' ? false : undefined;
}

/** As strtol(3) with base 0: `0x10` and `010` are 16 and 8. */
export function integerOf(word: string): number | undefined {
  const [, sign, digits] = /^([+-]?)(0x[0-9a-f]+|0[0-7]*|[1-9][0-9]*)$/i.exec(word) ?? [];
  if (digits === undefined) return undefined;
  const isOctal = /^0[0-7]+$/.test(digits);
  const size = isOctal ? Number.parseInt(digits, 8) : Number(digits);
  return sign === '-' ? 0 - size : size;
}

/** What a type allows, for people. */
export function allowedByConf(type: ConfValueType): string {
  switch (type.kind) {
    case 'boolean':
      return 'true or false';
    case 'integer':
      return `a whole number from ${type.minimum} to ${type.maximum}`;
    case 'text':
      return 'a text';
    case 'path':
      return 'a path';
    case 'choice':
      return `one of ${type.values.join(', ')}`;
    default:
      return type.form;
  }
}

/** A value in a message: short, on one line. */
export function quote(value: string): string {
  return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
}

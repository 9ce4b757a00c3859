import { resolve } from 'node:path';
import { parseDeviceId, parseName } from '#model';
import { ReasonCode } from '#mqtt';
import { topicFilterFault } from '#topics';
import type { KeyType } from './key-type.ts';

/** What a key holds once it is checked. */
export type Value = string | number | boolean | null | readonly Value[];

/** Levels that a filter in a configuration may have, whatever `[broker]` says. */
const maximumLevels = 1000;

const durationUnits: ReadonlyMap<string, number> = new Map([
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
]);
const sizeUnits: ReadonlyMap<string, number> = new Map([
  ['b', 1],
  ['kb', 1e3],
  ['mb', 1e6],
  ['gb', 1e9],
  ['kib', 1024],
  ['mib', 1024 ** 2],
  ['gib', 1024 ** 3],
]);

/** The value in its own unit, or `undefined` when it is not what the type asks for. */
export function readValue(type: KeyType, raw: unknown, baseFolder: string): Value | undefined {
  switch (type.kind) {
    case 'integer':
    case 'number':
    case 'duration':
    case 'size':
      return inRange(numberOf(type, raw), type);
    case 'boolean':
      return typeof raw === 'boolean' ? raw : undefined;
    case 'choice': {
      const value = typeof raw === 'bigint' ? Number(raw) : raw;
      return type.values.find((choice) => choice === value);
    }
    case 'list':
      return listOf(type.of, raw, baseFolder);
    default:
      return typeof raw === 'string' ? textOf(type, raw, baseFolder) : undefined;
  }
}

/** What a type allows, for people: `must be …`. */
export function allowedBy(type: KeyType): string {
  switch (type.kind) {
    case 'text':
      return 'a text that is not empty';
    case 'name':
      return 'a name: 1 to 64 of A-Z a-z 0-9 _ . -, not beginning with a dot';
    case 'choice':
      return type.values.length === 1
        ? String(type.values[0])
        : `one of ${type.values.map((value) => JSON.stringify(value)).join(', ')}`;
    case 'integer':
      return `a whole number from ${type.minimum} to ${type.maximum}`;
    case 'number':
      return `a number from ${type.minimum} to ${type.maximum}`;
    case 'boolean':
      return 'true or false';
    case 'duration':
      return `a time from "${durationText(type.minimum, type.unit)}" to "${durationText(type.maximum, type.unit)}", or a ${type.fraction === true ? '' : 'whole '}number of ${type.unit === 's' ? 'seconds' : 'milliseconds'}`;
    case 'size':
      return `a size from "${sizeText(type.minimum)}" to "${sizeText(type.maximum)}", or a whole number of bytes`;
    case 'path':
      return 'the path of a file';
    case 'filter':
      return 'a topic filter';
    case 'prefix':
      return 'the beginning of a topic, without + and #';
    case 'device':
      return 'a MAC address such as "5C:CF:7F:14:18:AD" or the id of a device';
    default:
      return `a list; each entry ${allowedBy(type.of)}`;
  }
}

/** `90000` ms → `90s`: the largest unit that gives a whole number. */
export function durationText(value: number, unit: 'ms' | 's'): string {
  if (value === 0) return `0${unit}`;
  const milliseconds = unit === 's' ? value * 1000 : value;
  return withUnit(milliseconds, durationUnits, 'ms', ['d', 'h', 'm', 's']);
}

/** `1048576` → `1MiB`: the largest unit that gives a whole number. */
export function sizeText(bytes: number): string {
  if (bytes < 1024) return `${bytes}B`;
  for (const [unit, factor] of [
    ['GiB', 1024 ** 3],
    ['MiB', 1024 ** 2],
    ['KiB', 1024],
  ] as const) {
    if (bytes % factor === 0) return `${bytes / factor}${unit}`;
  }
  return `${bytes}B`;
}

function withUnit(
  value: number,
  units: ReadonlyMap<string, number>,
  smallest: string,
  larger: readonly string[],
): string {
  for (const unit of larger) {
    const count = value / (units.get(unit) ?? 1);
    if (value !== 0 && Number.isInteger(count)) return `${count}${unit}`;
  }
  return `${value}${smallest}`;
}

function numberOf(type: KeyType, raw: unknown): number | undefined {
  const value = typeof raw === 'string' ? measureOf(type, raw) : typeof raw === 'bigint' ? Number(raw) : raw;
  if (typeof value !== 'number') return undefined;
  const mayBeFraction = type.kind === 'number' || (type.kind === 'duration' && type.fraction === true);
  return mayBeFraction ? value : wholeOf(value);
}

/** A number with its unit, in the unit of the type. */
function measureOf(type: KeyType, text: string): number | undefined {
  const [, digits, unit = ''] = /^(\d+(?:\.\d+)?)\s*([A-Za-z]+)$/.exec(text) ?? [];
  if (digits === undefined) return undefined;
  if (type.kind === 'size') return product(digits, sizeUnits.get(unit.toLowerCase()));
  if (type.kind !== 'duration') return undefined;
  return product(digits, durationUnits.get(unit), type.unit === 's' ? 1000 : 1);
}

/** To a millionth, as 1.1 × 1000 is not quite 1100 in binary. */
function product(digits: string, factor: number | undefined, divisor = 1): number | undefined {
  return factor === undefined ? undefined : Math.round((Number(digits) * factor * 1e6) / divisor) / 1e6;
}

function wholeOf(value: number): number | undefined {
  return Number.isInteger(value) ? value : undefined;
}

function inRange(
  value: number | undefined,
  { minimum, maximum }: { readonly minimum: number; readonly maximum: number },
): number | undefined {
  return value !== undefined && value >= minimum && value <= maximum ? value : undefined;
}

function listOf(type: KeyType, raw: unknown, baseFolder: string): readonly Value[] | undefined {
  if (!Array.isArray(raw)) return undefined;
  const values: Value[] = [];
  for (const one of raw) {
    const value = readValue(type, one, baseFolder);
    if (value === undefined) return undefined;
    values.push(value);
  }
  return values;
}

function textOf(type: KeyType, raw: string, baseFolder: string): string | undefined {
  if (raw.includes('\0')) return undefined;
  switch (type.kind) {
    case 'prefix':
      return /[+#]/.test(raw) ? undefined : raw;
    case 'name':
      return parseName(raw);
    case 'path':
      return raw === '' ? undefined : resolve(baseFolder, raw);
    case 'filter':
      return !raw.startsWith('$share/') && topicFilterFault(raw, maximumLevels) === ReasonCode.Success
        ? raw
        : undefined;
    case 'device':
      return /^(?:[0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(raw) || parseDeviceId(raw) !== undefined
        ? raw
        : undefined;
    default:
      return raw === '' ? undefined : raw;
  }
}

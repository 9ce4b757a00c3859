import { parseName } from '#model';
import type { KeySpec, TableSpec } from './key-type.ts';
import { allowedBy, readValue } from './key-value.ts';
import { Section } from './section.ts';
import { suggestionFor } from './suggestion.ts';
import type { Place } from './toml-lines.ts';

/** Something wrong, and where. */
export interface Fault {
  readonly place: Place;
  readonly message: string;
}

/** Keys in one message: more of them nobody reads. */
const mostThatAreListed = 20;

export interface ReadOptions {
  readonly baseFolder: string;
  readonly faults: Fault[];
}

type Table = Readonly<Record<string, unknown>>;

/** Checks a parsed table against its specification: every fault is noted, and what can be read is read. */
export function readSection(
  spec: TableSpec,
  table: Table,
  place: Place,
  options: ReadOptions,
  above = '',
): Section {
  const section = new Section(titleOf(spec, table, above), place);
  const present = new Map(Object.entries(table));
  for (const key of spec.keys) {
    readKey(section, key, present, options);
    present.delete(key.key);
  }
  for (const child of spec.tables) {
    const raw = present.get(child.key);
    if (raw !== undefined || child.form === 'one')
      section.children.set(child.key, readChildren(section, child, raw, options));
    present.delete(child.key);
  }
  for (const key of present.keys()) options.faults.push(unknownKey(section, spec, key));
  return section;
}

function readKey(
  section: Section,
  spec: KeySpec,
  present: ReadonlyMap<string, unknown>,
  options: ReadOptions,
): void {
  const { key, type } = spec;
  if (!present.has(key)) {
    if (spec.default === undefined)
      options.faults.push({
        place: section.place,
        message: `${subject(section)}${key} is missing; add ${key} = … (${allowedBy(type)})`,
      });
    else if (spec.type.kind === 'path' && spec.default !== null)
      section.values.set(key, readValue(spec.type, spec.default, options.baseFolder) ?? null);
    else section.values.set(key, spec.default);
    return;
  }
  const raw = present.get(key);
  const value = readValue(type, raw, options.baseFolder);
  if (value === undefined) {
    options.faults.push({
      place: [...section.place, key],
      message: `${subject(section)}${key} = ${shown(raw)}: must be ${allowedBy(type)}`,
    });
    return;
  }
  section.given.add(key);
  section.values.set(key, value);
}

function readChildren(section: Section, spec: TableSpec, raw: unknown, options: ReadOptions): Section[] {
  const place = [...section.place, spec.key];
  const wrongForm = (): Section[] => {
    const header = spec.form === 'many' ? `[[${headerOf(place)}]]` : `[${headerOf(place)}]`;
    options.faults.push({
      place,
      message: `${spec.key} must be a table; write ${header} on a line of its own`,
    });
    return [];
  };
  if (spec.form === 'many') {
    if (!Array.isArray(raw)) return wrongForm();
    if (!raw.every(isTable)) return wrongForm();
    return raw.map((table, index) => readSection(spec, table, [...place, index], options, section.title));
  }
  if (raw !== undefined && !isTable(raw)) return wrongForm();
  if (spec.form === 'map') return [readMap(spec, raw ?? {}, place, options)];
  // A table that must be asked for is there only when it stands in the file.
  if (raw === undefined && spec.keys.some((key) => key.default === undefined)) return [];
  return [readSection(spec, raw ?? {}, place, options, section.title)];
}

function readMap(spec: TableSpec, table: Table, place: Place, options: ReadOptions): Section {
  const section = new Section(spec.key, place);
  const type = spec.values ?? { kind: 'text' };
  for (const [key, raw] of Object.entries(table)) {
    const value = readValue(type, raw, options.baseFolder);
    if (value === undefined)
      options.faults.push({
        place: [...place, key],
        message: `${spec.key}: ${shown(key)} = ${shown(raw)}: must be ${allowedBy(type)}`,
      });
    else section.values.set(key, value);
  }
  return section;
}

function unknownKey(section: Section, spec: TableSpec, key: string): Fault {
  const known = [...spec.keys.map((one) => one.key), ...spec.tables.map((one) => one.key)];
  const meant = suggestionFor(key, known);
  const help =
    known.length > mostThatAreListed
      ? 'docs/reference/configuration.md has all that are'
      : `known here: ${known.join(', ')}`;
  return {
    place: [...section.place, key],
    message: `${subject(section)}${shown(key)} is not known; ${meant === undefined ? help : `did you mean ${meant}?`}`,
  };
}

/** The beginning of a message; the top of the file has no name. */
function subject(section: Section): string {
  return section.title === '' ? '' : `${section.title}: `;
}

function titleOf(spec: TableSpec, table: Table, above: string): string {
  const { name } = table;
  const isNamed = spec.form === 'many' && typeof name === 'string' && parseName(name) !== undefined;
  const title = isNamed ? `${spec.key} ${name}` : spec.key;
  return above === '' ? title : `${above}: ${title}`;
}

function headerOf(place: Place): string {
  return place.filter((part) => typeof part === 'string').join('.');
}

/** TOML's dates are objects too; only plain tables have no prototype of their own. */
function isTable(raw: unknown): raw is Table {
  return typeof raw === 'object' && raw !== null && !Array.isArray(raw) && !(raw instanceof Date);
}

/** A value of the file for a message: on one line, and not longer than one can read. */
function shown(raw: unknown): string {
  const text = isTable(raw)
    ? 'a table'
    : typeof raw === 'number' || typeof raw === 'bigint'
      ? String(raw)
      : JSON.stringify(raw);
  return text.length <= 60 ? text : `${text.slice(0, 57)}…`;
}

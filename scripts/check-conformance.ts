/**
 * Holds the conformance lists, the tests and the comments together (docs/conformance/README.md):
 *   every id of `ids-*.txt` has an entry in its list, and the other way round;
 *   every entry that is `done` or `exempt` is named by a test, and by `where` in which files;
 *   every id that a test or a comment names exists.
 *
 *   node --conditions=source scripts/check-conformance.ts [--write]
 * `--write` brings each `where` up to date first.
 */
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';

const root = path.dirname(import.meta.dirname);

interface Standard {
  /** As it stands before an id outside of the folder: `v5 [MQTT-…]`. */
  readonly tag: 'v3' | 'v5';
  readonly title: string;
  readonly idsFile: string;
  readonly listFile: string;
}

const standards: readonly Standard[] = [
  {
    tag: 'v3',
    title: 'MQTT 3.1.1',
    idsFile: 'docs/conformance/ids-3.1.1.txt',
    listFile: 'docs/conformance/mqtt-3.1.1.yaml',
  },
  {
    tag: 'v5',
    title: 'MQTT 5',
    idsFile: 'docs/conformance/ids-5.txt',
    listFile: 'docs/conformance/mqtt-5.yaml',
  },
];

const statuses: ReadonlySet<string> = new Set(['done', 'exempt', 'todo']);
/** Fields of an entry by the section it stands in; those with `!` must be there. */
const fieldsOf = new Map<string, readonly string[]>([
  ['statements', ['status!', 'about!', 'where', 'comment']],
  ['choices', ['section!', 'about!', 'choice!']],
]);

type Entry = Map<string, string>;
type Sections = Map<string, Map<string, Entry>>;

const faults: string[] = [];

/**
 * Reads the subset of YAML that the lists use: `section:`, two spaces and `name:`, four spaces and `field: text`.
 * A text is plain: without quotes, without `: ` and ` #`, so that every YAML reader reads the same.
 */
function readList(file: string): Sections {
  const sections: Sections = new Map();
  let section: Map<string, Entry> | undefined;
  let entry: Entry | undefined;
  let fields: readonly string[] = [];
  for (const [index, line] of readFileSync(path.join(root, file), 'utf8').split('\n').entries()) {
    const fault = (text: string): void => void faults.push(`${file}:${index + 1}: ${text}`);
    if (line === '' || line.startsWith('#')) continue;
    const [, indent = '', name = '', text = ''] = /^( *)([A-Za-z0-9.-]+):(?: (.+))?$/.exec(line) ?? [];
    if (name === '') fault('is neither a section, a name nor a field');
    else if (indent === '' && text === '') {
      if (sections.has(name)) fault(`section ${name} stands twice`);
      const known = fieldsOf.get(name);
      if (known === undefined) fault(`there is no section ${name}`);
      fields = known ?? [];
      section = new Map();
      sections.set(name, section);
      entry = undefined;
    } else if (indent === '  ' && text === '' && section !== undefined) {
      if (section.has(name)) fault(`${name} stands twice`);
      entry = new Map();
      section.set(name, entry);
    } else if (indent === '    ' && text !== '' && entry !== undefined) {
      if (entry.has(name)) fault(`${name} stands twice`);
      if (!fields.some((field) => field.replace('!', '') === name)) fault(`there is no field ${name} here`);
      if (/^[^A-Za-z0-9$"(]|^"|: | #|\s$/.test(text)) fault('the text is not plain');
      entry.set(name, text);
    } else fault('is out of place');
  }
  for (const [title, entries] of sections) {
    for (const [name, values] of entries) {
      for (const field of fieldsOf.get(title) ?? []) {
        if (field.endsWith('!') && !values.has(field.slice(0, -1)))
          faults.push(`${file}: ${name} has no ${field.slice(0, -1)}`);
      }
    }
  }
  return sections;
}

interface Mention {
  readonly id: string;
  readonly file: string;
  readonly line: number;
  /** In a string of a test file: the name of a test. Otherwise in a comment. */
  readonly isTest: boolean;
  /** The standards that it is said to be of, `v3 ` or `v5 ` or both; empty: not said, so it counts for none. */
  readonly tags: string;
}

/** `[MQTT-1.2.3-4]`, with the version, or both, before the first of several: `v5 [MQTT-1.2.3-4] [MQTT-1.2.3-5]`. */
const idPattern = /((?:\bv[35] )*)\[(MQTT-[^\]\s]+)\]/g;
/** Strings of one line; a name of a test is one. */
const stringPattern = /'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\\n]|\\.)*`/g;

function mentionsIn(file: string): Mention[] {
  const mentions: Mention[] = [];
  const folder = /^test\/conformance\/(v3|v5)\//.exec(file)?.[1];
  const isTestFile = file.startsWith('test/') || file.endsWith('.test.ts');
  for (const [index, line] of readFileSync(path.join(root, file), 'utf8').split('\n').entries()) {
    const comment = line.search(/(?:^|\s)(?:\/\/|\*|\/\*)/);
    const code = comment === -1 ? line : line.slice(0, comment);
    const note = (text: string, isTest: boolean): void => {
      let tags = folder === undefined ? '' : folder;
      for (const [, said = '', id = ''] of text.matchAll(idPattern)) {
        if (said !== '') tags = said;
        mentions.push({ id, file, line: index + 1, isTest, tags });
      }
    };
    if (isTestFile) for (const [text] of code.matchAll(stringPattern)) note(text, true);
    else note(code, false);
    if (comment !== -1) note(line.slice(comment), false);
  }
  return mentions;
}

function readIds(standard: Standard): Set<string> {
  return new Set(readFileSync(path.join(root, standard.idsFile), 'utf8').split(/\s+/).filter(Boolean));
}

/** Writes into each entry of a list which files have tests for it. */
function writeWhere(standard: Standard, tests: ReadonlyMap<string, Set<string>>): void {
  const file = path.join(root, standard.listFile);
  let files = '';
  const written: string[] = [];
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    if (line.startsWith('    where:')) continue;
    const id = /^  (MQTT-[0-9.-]+):$/.exec(line)?.[1];
    if (id !== undefined) files = [...(tests.get(id) ?? [])].join(', ');
    written.push(line);
    if (line.startsWith('    about:') && files !== '') written.push(`    where: ${files}`);
    if (line.startsWith('    about:')) files = '';
  }
  writeFileSync(file, written.join('\n'));
}

/** Checks one list against its ids and the tests; gives back a line with the counts. */
function checkStandard(
  standard: Standard,
  ids: ReadonlySet<string>,
  tests: ReadonlyMap<string, Set<string>>,
): string {
  const statements = readList(standard.listFile).get('statements') ?? new Map<string, Entry>();
  const counts = new Map([...statuses].map((status) => [status, 0]));
  for (const id of ids) if (!statements.has(id)) faults.push(`${standard.listFile}: ${id} is missing`);
  for (const [id, entry] of statements) {
    if (!ids.has(id)) faults.push(`${standard.listFile}: ${id} is not in ${standard.idsFile}`);
    const status = entry.get('status') ?? '';
    counts.set(status, (counts.get(status) ?? 0) + 1);
    if (!statuses.has(status)) faults.push(`${standard.listFile}: ${id} has the status "${status}"`);
    const files = [...(tests.get(id) ?? [])].join(', ');
    if (status !== 'todo' && files === '') {
      faults.push(`${standard.listFile}: ${id} is ${status}, but no test names ${standard.tag} [${id}]`);
    } else if (files !== (entry.get('where') ?? '')) {
      faults.push(`${standard.listFile}: ${id}: where is ${files}; run with --write`);
    }
    if (status !== 'done' && !entry.has('comment')) {
      faults.push(`${standard.listFile}: ${id} is ${status} without a comment that says why`);
    }
  }
  const summary = [...counts].map(([status, count]) => `${count} ${status}`).join(', ');
  return `${standard.title}: ${ids.size} statements, ${summary}`;
}

const sources = globSync(['src/**/*.ts', 'test/**/*.ts', 'devices/**/*.ts'], { cwd: root }).sort();
const mentions = sources.flatMap((file) => mentionsIn(file));
const idsOf = new Map(standards.map((standard) => [standard.tag, readIds(standard)]));
const lines: string[] = [];
for (const standard of standards) {
  const ids = idsOf.get(standard.tag)!;
  const tests = new Map<string, Set<string>>();
  for (const { id, file, isTest, tags } of mentions) {
    if (isTest && tags.includes(standard.tag)) tests.set(id, (tests.get(id) ?? new Set()).add(file));
  }
  if (process.argv.includes('--write')) writeWhere(standard, tests);
  lines.push(checkStandard(standard, ids, tests));
}
for (const { id, file, line, tags } of mentions) {
  const meant = standards.filter(({ tag }) => tags.includes(tag));
  const isKnown =
    meant.length === 0
      ? [...idsOf.values()].some((ids) => ids.has(id))
      : meant.every(({ tag }) => idsOf.get(tag)!.has(id));
  if (!isKnown)
    faults.push(`${file}:${line}: ${id} is no statement of ${tags === '' ? 'either standard' : tags}`);
}
console.log(lines.join('\n'));
if (faults.length > 0) {
  console.error(faults.join('\n'));
  console.error(`${faults.length} faults`);
  process.exitCode = 1;
}

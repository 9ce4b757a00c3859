import { resolve } from 'node:path';
import { DavylampError, messageOf } from '#base';
import type { ConfFindings } from './conf-findings.ts';

/** What the reader needs of the machine: files are read by whoever may. */
export interface ConfSource {
  /** The working directory: relative paths begin here, wherever the file lies. */
  readonly folder: string;
  /** Name of this machine: bridges' client ids begin with it. */
  readonly hostName: string;
  /** The text of a file. Errors: FILE_UNREADABLE. */
  readFile(path: string): string | Promise<string>;
  /** Names of what is in a folder. Errors: FILE_UNREADABLE. */
  listFolder(path: string): readonly string[] | Promise<readonly string[]>;
}

/** Where a finding is. */
export interface ConfPlace {
  readonly file: string;
  readonly line: number;
}

/** A line that says something. */
export interface ConfLine extends ConfPlace {
  readonly keyword: string;
  /** What stands behind the keyword, without blanks at both ends. */
  readonly rest: string;
}

/** A file's lines; in place of `include_dir` the files that it brings. */
export interface ConfFile {
  readonly file: string;
  readonly entries: readonly (ConfLine | ConfFile)[];
}

/** Reads a file and what it includes. Errors: FILE_UNREADABLE for the file itself; others are findings. */
export async function loadConfFile(
  file: string,
  source: ConfSource,
  findings: ConfFindings,
): Promise<ConfFile> {
  const entries: (ConfLine | ConfFile)[] = [];
  for (const line of linesOf(await source.readFile(file), file)) {
    if (line.keyword !== 'include_dir') entries.push(line);
    else if (line.rest === '') findings.fault(line, 'include_dir needs a value: the path of a folder');
    else entries.push(...(await includedBy(line, source, findings)));
  }
  return { file, entries };
}

async function includedBy(line: ConfLine, source: ConfSource, findings: ConfFindings): Promise<ConfFile[]> {
  const folder = resolve(source.folder, line.rest);
  const files: ConfFile[] = [];
  try {
    const names = (await source.listFolder(folder)).filter((name) => /.\.conf$/.test(name)).sort(byLetter);
    for (const name of names) {
      const file = resolve(folder, name);
      const lines = linesOf(await source.readFile(file), file);
      for (const inner of lines)
        if (inner.keyword === 'include_dir')
          findings.fault(inner, 'include_dir counts in the main file only; move the line there');
      files.push({ file, entries: lines.filter(({ keyword }) => keyword !== 'include_dir') });
    }
  } catch (error) {
    if (!(error instanceof DavylampError)) throw error;
    findings.fault(line, `include_dir: ${messageOf(error)}`);
  }
  return files;
}

function linesOf(content: string, file: string): ConfLine[] {
  const lines: ConfLine[] = [];
  for (const [index, raw] of content
    .replace(/^\u{FEFF}/u, '')
    .split('\n')
    .entries()) {
    if (raw.startsWith('#')) continue; // only there: elsewhere # is part of a value, such as a topic filter
    const line = raw.replace(/\r+$/, '').replace(/^[ \t]+|[ \t]+$/g, '');
    if (line === '') continue;
    const [keyword = ''] = line.split(/[ \t]/, 1);
    lines.push({ file, line: index + 1, keyword, rest: line.slice(keyword.length).trimStart() });
  }
  return lines;
}

/** The order of Mosquitto: letter by letter, `A` before `a`, both before `B`. */
function byLetter(a: string, b: string): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const [one = '', other = ''] = [a[i], b[i]];
    if (one === other) continue;
    const [upperOne, upperOther] = [one.toUpperCase(), other.toUpperCase()];
    if (upperOne !== upperOther) return upperOne < upperOther ? -1 : 1;
    return one < other ? -1 : 1;
  }
  return a.length - b.length;
}

import { DavylampError } from '#base';
import type { ConfigWarning } from '../config.ts';
import type { ConfPlace } from './conf-file.ts';

/** What is found while a file is read: nothing stops at the first fault. */
export class ConfFindings {
  readonly #faults: { readonly file: string; readonly line: number; readonly message: string }[] = [];
  readonly #warnings: ConfigWarning[] = [];

  /** The file cannot be run. */
  fault({ file, line }: ConfPlace, message: string): void {
    this.#faults.push({ file, line, message });
  }

  /** The file runs, but somebody should know. */
  warn({ file, line }: ConfPlace, message: string): void {
    this.#warnings.push({ file, line, message });
  }

  /** A notice that belongs to no line. */
  note(file: string, message: string): void {
    this.#warnings.push({ file, line: undefined, message });
  }

  /** In the order of the lines of each file. */
  get warnings(): ConfigWarning[] {
    return inOrder(this.#warnings);
  }

  /** Throws `CONFIG_INVALID`, a line for each fault, when there is one. */
  throwFaults(): void {
    if (this.#faults.length === 0) return;
    const lines = inOrder(this.#faults).map(({ file, line, message }) => `${file}:${line}: ${message}`);
    throw new DavylampError('CONFIG_INVALID', lines.join('\n'));
  }
}

/** For people: `line 3`, with the file where it is another one than `from`'s. */
export function placeText({ file, line }: ConfPlace, from: ConfPlace): string {
  return file === from.file ? `line ${line}` : `${file}:${line}`;
}

/** Files in the order in which they were first named, lines within them. */
function inOrder<T extends { readonly file: string; readonly line: number | undefined }>(
  found: readonly T[],
): T[] {
  const files = [...new Set(found.map(({ file }) => file))];
  return found.toSorted(
    (a, b) => files.indexOf(a.file) - files.indexOf(b.file) || (a.line ?? Infinity) - (b.line ?? Infinity),
  );
}

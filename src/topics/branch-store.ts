import type { LevelText } from './level-text.ts';

/**
 * A branch is a record of 16 words (a line of the processor's cache), known by its number:
 *
 *   0 parent   the parent's number; of a free record: the next free one
 *   1 hash     of its name under its parent
 *   2 length   bytes of its name
 *   3 only     a single child's number; 0 = none; below 0: so many children, which are in the table
 *   4 plus     the number of the child for `+`; 0 = none
 *   5 here     the place of the values whose filter ends here; 0 = none
 *   6 all      the place of the values whose filter goes on with `#`; 0 = none
 *   7 name     36 bytes of it (a UUID): the whole of a longer one is in a map
 *
 * Records live in chunks, so that no growth copies more than a chunk. A child is made after its parent: those of one
 * filter that nothing else shares stand side by side.
 */
export const onlyField = 3;
export const plusField = 4;
export const hereField = 5;
export const allField = 6;
const parentField = 0;
const hashField = 1;
const lengthField = 2;
const nameField = 7;

const recordBits = 4;
const nameBytes = 36;
const chunkBits = 15;
const chunkRecords = 1 << chunkBits;
const firstRecords = 8;

/** The number of the branch that all others are under. */
export const rootBranch = 0;

/** Where a branch's record begins in its chunk. */
export function recordOf(branch: number): number {
  return (branch & (chunkRecords - 1)) << recordBits;
}

/** The records of all branches of a tree. */
export class BranchStore {
  readonly #chunks: Int32Array[] = [new Int32Array(firstRecords << recordBits)];
  #longNames: Map<number, Uint8Array> | null = null;
  /** Records that were ever used, the root among them. */
  #end = 1;
  #free = 0;
  #used = 1;

  /** No branch has this number or a higher one. */
  get end(): number {
    return this.#end;
  }

  /** True when it would be worth while to make anew what is here: so little of a large store is in use. */
  get isSparse(): boolean {
    return this.#end > chunkRecords && this.#used * 4 < this.#end;
  }

  chunkOf(branch: number): Int32Array {
    return this.#chunks[branch >>> chunkBits] as Int32Array;
  }

  get(branch: number, field: number): number {
    return this.chunkOf(branch)[recordOf(branch) + field] as number;
  }

  set(branch: number, field: number, value: number): void {
    this.chunkOf(branch)[recordOf(branch) + field] = value;
  }

  parentOf(branch: number): number {
    return this.get(branch, parentField);
  }

  hashOf(branch: number): number {
    return this.get(branch, hashField);
  }

  /** A new branch under a parent, which does not know it yet; its name is the level `[start, end)`. */
  create(parent: number, hash: number, text: LevelText, start: number, end: number): number {
    const branch = this.#take();
    const chunk = this.chunkOf(branch);
    const record = recordOf(branch);
    chunk[record + parentField] = parent;
    chunk[record + hashField] = hash;
    chunk[record + lengthField] = end - start;
    const inRecord = Math.min(end, start + nameBytes);
    let word = record + nameField;
    let at = start;
    for (; at + 4 <= inRecord; at += 4) chunk[word++] = text.wordAt(at);
    if (at < inRecord) chunk[word] = text.restAt(at, inRecord);
    if (end > inRecord) (this.#longNames ??= new Map()).set(branch, text.copy(start, end));
    return branch;
  }

  #take(): number {
    this.#used++;
    const branch = this.#free;
    if (branch !== 0) {
      this.#free = this.parentOf(branch);
      return branch;
    }
    const last = this.#chunks.at(-1) as Int32Array;
    const hasRoom = recordOf(this.#end) < last.length && recordOf(this.#end) !== 0;
    if (!hasRoom && last.length < chunkRecords << recordBits) {
      const larger = new Int32Array(last.length * 2);
      larger.set(last);
      this.#chunks[this.#chunks.length - 1] = larger;
    } else if (!hasRoom) this.#chunks.push(new Int32Array(chunkRecords << recordBits));
    return this.#end++;
  }

  /** Gives up a branch that has neither children nor values and that its parent has forgotten. */
  free(branch: number): void {
    if (this.get(branch, lengthField) > nameBytes) this.#longNames?.delete(branch);
    this.set(branch, parentField, this.#free);
    this.#free = branch;
    this.#used--;
  }

  isEmpty(branch: number): boolean {
    const chunk = this.chunkOf(branch);
    const record = recordOf(branch);
    const children = (chunk[record + onlyField] as number) | (chunk[record + plusField] as number);
    const values = (chunk[record + hereField] as number) | (chunk[record + allField] as number);
    return (children | values) === 0;
  }

  /** Where the level at `start` ends if it has the branch's name, else -1. */
  endOfName(branch: number, text: LevelText, start: number): number {
    const chunk = this.chunkOf(branch);
    const record = recordOf(branch);
    const length = chunk[record + lengthField] as number;
    const end = start + length;
    if (end > text.length || text.byteAt(end) !== slash) return -1;
    if (length > nameBytes) return text.hasAt(this.#longNames?.get(branch) as Uint8Array, start) ? end : -1;
    let word = record + nameField;
    let at = start;
    for (; at + 4 <= end; at += 4) if (chunk[word++] !== text.wordAt(at)) return -1;
    return at === end || chunk[word] === text.restAt(at, end) ? end : -1;
  }

  /** The branch's name as text. */
  nameOf(branch: number): string {
    const length = this.get(branch, lengthField);
    if (length > nameBytes) return Buffer.from(this.#longNames?.get(branch) as Uint8Array).toString();
    const chunk = this.chunkOf(branch);
    return Buffer.from(chunk.buffer, (recordOf(branch) + nameField) * 4, length).toString();
  }
}

const slash = 0x2f;

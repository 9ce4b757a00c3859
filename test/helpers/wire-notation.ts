/**
 * A notation for packets, independent of the project's codec, in which each byte can be seen:
 *
 *   82                hexadecimal bytes
 *   "a/b"             a string with its two bytes of length; 'a/b' the same without
 *   (00 ff)           binary data with its two bytes of length
 *   [ … ]             what is inside, with its length as a variable byte integer: the rest of a packet, or properties
 *   'x'*300           so many of them
 *   $name             two bytes that were given a name before: packet ids
 *
 * In what is expected also: `..` any byte, `$name` gives the two bytes that name the first time, `...` at the end of
 * a packet whatever else comes.
 *
 *   32[ "a/b" 0001 'hello' ]      PUBLISH at QoS 1 of `hello` with packet id 1
 */

/** Two-byte values by name; fills as patterns match. */
export type Names = Map<string, number>;

/** -1 = any byte. */
type Cell = number | { readonly name: string; readonly part: 0 | 1 };

interface Pattern {
  readonly cells: readonly Cell[];
  /** More may follow. */
  readonly isOpen: boolean;
}

const tokens =
  /\s*(?:(?<text>"[^"]*"|'[^']*')(?:\*(?<times>\d+))?|\$(?<name>\w+)|(?<mark>[[\]()]|\.\.\.|\.\.)|(?<hex>(?:[0-9a-f]{2})+))/gy;

/** The bytes of what is to be sent. */
export function wireBytes(notation: string, names: Names): Buffer {
  const { cells, isOpen } = parse(notation);
  if (isOpen) throw new Error(`"..." cannot be sent: ${notation}`);
  return Buffer.from(
    cells.map((cell) => {
      if (typeof cell === 'number') {
        if (cell < 0) throw new Error(`".." cannot be sent: ${notation}`);
        return cell;
      }
      const value = names.get(cell.name);
      if (value === undefined) throw new Error(`$${cell.name} is not known: ${notation}`);
      return cell.part === 0 ? value >> 8 : value & 0xff;
    }),
  );
}

/** Whether `frame`, one whole packet, is what the notation says. Gives names to bytes where it is. */
export function matchesWire(notation: string, frame: Buffer, names: Names): boolean {
  const { cells, isOpen } = parse(notation);
  if (isOpen) {
    // The length cannot be known: it is left out on both sides.
    const expected = [cells[0]!, ...cells.slice(1 + lengthOfLength(cells))];
    const actual = Buffer.concat([frame.subarray(0, 1), frame.subarray(1 + lengthOfLength([...frame]))]);
    return expected.length <= actual.length && matchCells(expected, actual, names);
  }
  return cells.length === frame.length && matchCells(cells, frame, names);
}

function lengthOfLength(cells: readonly Cell[]): number {
  let at = 1;
  while (typeof cells[at] === 'number' && (cells[at] as number) > 127) at++;
  return at;
}

function matchCells(cells: readonly Cell[], bytes: Buffer, names: Names): boolean {
  const found = new Map<string, number>();
  for (const [at, cell] of cells.entries()) {
    const byte = bytes[at]!;
    if (cell === -1) continue;
    if (typeof cell === 'number') {
      if (cell !== byte) return false;
      continue;
    }
    if (cell.part === 0) {
      const value = (byte << 8) | bytes[at + 1]!;
      const known = names.get(cell.name) ?? found.get(cell.name);
      if (known !== undefined && known !== value) return false;
      found.set(cell.name, value);
    }
  }
  for (const [name, value] of found) names.set(name, value);
  return true;
}

function parse(notation: string): Pattern {
  const stack: { readonly open: string; readonly cells: Cell[] }[] = [{ open: '', cells: [] }];
  let isOpen = false;
  let at = 0;
  const text = notation.trimEnd();
  while (at < text.length) {
    tokens.lastIndex = at;
    const groups = tokens.exec(text)?.groups;
    if (groups === undefined) throw new Error(`no notation: ${text.slice(at)}`);
    at = tokens.lastIndex;
    const { cells } = stack.at(-1)!;
    if (groups['hex'] !== undefined) cells.push(...Buffer.from(groups['hex'], 'hex'));
    else if (groups['text'] !== undefined) cells.push(...textCells(groups['text'], groups['times']));
    else if (groups['name'] !== undefined)
      cells.push({ name: groups['name'], part: 0 }, { name: groups['name'], part: 1 });
    else if (groups['mark'] === '..') cells.push(-1);
    else if (groups['mark'] === '...') isOpen = true;
    else if (groups['mark'] === '[' || groups['mark'] === '(')
      stack.push({ open: groups['mark'], cells: [] });
    else {
      const closed = stack.pop()!;
      const prefix = closed.open === '[' ? varint(closed.cells.length) : uint16(closed.cells.length);
      const outer = stack.at(-1)?.cells;
      if (outer === undefined || (closed.open === '[') !== (groups['mark'] === ']'))
        throw new Error(`brackets do not match: ${text}`);
      outer.push(...prefix, ...closed.cells);
    }
  }
  if (stack.length !== 1) throw new Error(`a bracket is open: ${text}`);
  return { cells: stack[0]!.cells, isOpen };
}

function textCells(quoted: string, times: string | undefined): number[] {
  const bytes = Buffer.from(quoted.slice(1, -1).repeat(times === undefined ? 1 : Number(times)));
  return quoted.startsWith('"') ? [...uint16(bytes.length), ...bytes] : [...bytes];
}

function uint16(value: number): number[] {
  return [value >> 8, value & 0xff];
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    const byte = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push(rest > 0 ? byte | 0x80 : byte);
  } while (rest > 0);
  return bytes;
}

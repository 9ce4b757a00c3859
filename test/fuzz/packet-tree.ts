import type { Random } from './random.ts';

/** One field of a packet. A property is a list of fields that begins with its identifier. */
export type Field =
  | { readonly kind: 'raw'; readonly bytes: Buffer }
  /** Two bytes of length, then the bytes. */
  | { readonly kind: 'text'; readonly bytes: Buffer }
  | { readonly kind: 'varint'; readonly value: number }
  | { readonly kind: 'properties'; readonly list: readonly (readonly Field[])[] };

/** A packet before it is bytes: what a structural mutation works on. */
export interface PacketTree {
  /** Type and flags. */
  readonly first: number;
  readonly fields: readonly Field[];
}

/** Fields of one number are made once: nothing changes a field, a mutation makes a new one. */
const byteFields = Array.from({ length: 256 }, (_, value): Field => raw(Buffer.of(value)));
const uint16Fields = new Map<number, Field>();
const uint32Fields = new Map<number, Field>();
/** Words of the fuzzer's own. */
const textFields = new Map<string, Field>();

function known<K>(fields: Map<K, Field>, key: K, make: (key: K) => Field): Field {
  let field = fields.get(key);
  if (field === undefined) {
    field = make(key);
    fields.set(key, field);
  }
  return field;
}

export function byte(value: number): Field {
  return byteFields[value & 0xff]!;
}

export function uint16(value: number): Field {
  return known(uint16Fields, value, makeUint16);
}

function makeUint16(value: number): Field {
  return raw(Buffer.of(value >> 8, value));
}

export function uint32(value: number): Field {
  return known(uint32Fields, value, makeUint32);
}

function makeUint32(value: number): Field {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return raw(bytes);
}

export function varint(value: number): Field {
  return { kind: 'varint', value };
}

/** A string is remembered: for words that the fuzzer itself knows. */
export function text(value: string | Buffer): Field {
  return typeof value === 'string' ? known(textFields, value, makeText) : { kind: 'text', bytes: value };
}

function makeText(value: string): Field {
  return { kind: 'text', bytes: Buffer.from(value) };
}

export function raw(bytes: Buffer): Field {
  return { kind: 'raw', bytes };
}

export function properties(list: readonly (readonly Field[])[]): Field {
  return { kind: 'properties', list };
}

/** The packet's bytes, with every length as it should be. */
export function encodeTree(tree: PacketTree): Buffer {
  let length = 0;
  for (const field of tree.fields) length += lengthOf(field);
  const bytes = Buffer.allocUnsafe(1 + varintLength(length) + length);
  bytes[0] = tree.first;
  let at = writeVarint(bytes, 1, length);
  for (const field of tree.fields) at = writeField(bytes, at, field);
  return bytes;
}

function lengthOf(field: Field): number {
  switch (field.kind) {
    case 'raw':
      return field.bytes.length;
    case 'text':
      return 2 + field.bytes.length;
    case 'varint':
      return varintLength(field.value);
    default: {
      const inner = innerLength(field.list);
      return varintLength(inner) + inner;
    }
  }
}

function innerLength(list: readonly (readonly Field[])[]): number {
  let length = 0;
  for (const property of list) for (const field of property) length += lengthOf(field);
  return length;
}

/** Returns where the next field begins. */
function writeField(bytes: Buffer, start: number, field: Field): number {
  switch (field.kind) {
    case 'raw':
      bytes.set(field.bytes, start);
      return start + field.bytes.length;
    case 'text': {
      const { length } = field.bytes;
      bytes[start] = length >> 8;
      bytes[start + 1] = length;
      bytes.set(field.bytes, start + 2);
      return start + 2 + length;
    }
    case 'varint':
      return writeVarint(bytes, start, field.value);
    default: {
      let at = writeVarint(bytes, start, innerLength(field.list));
      for (const property of field.list) for (const one of property) at = writeField(bytes, at, one);
      return at;
    }
  }
}

function varintLength(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  return value < 0x20_0000 ? 3 : 4;
}

function writeVarint(bytes: Buffer, start: number, value: number): number {
  let at = start;
  let rest = value;
  do {
    bytes[at++] = (rest & 0x7f) | (rest > 0x7f ? 0x80 : 0);
    rest >>>= 7;
  } while (rest > 0);
  return at;
}

/** Names and filters that have hurt somebody somewhere; not all are UTF-8. */
const hostileTexts: readonly Buffer[] = [
  ...[
    '',
    '__proto__',
    'constructor',
    'hasOwnProperty/toString',
    '\0',
    'a\0b',
    '#',
    '+',
    'a/#/b',
    '#/a',
    'a#',
    '+a/b',
    'a/+b',
    '/',
    '//',
    '/a/',
    '$',
    '$SYS/broker/uptime',
    '$SYS/#',
    '$share',
    '$share/',
    '$share//a',
    '$share/g',
    '$share/g/',
    '$share/g/#',
    '$share/+/a',
    '$share/#/a',
    '$share/g/$share/g/a',
    '$share/__proto__/a',
    '\uFEFFa',
    '\uFFFF',
    '\u{10FFFF}',
    '\u0001\u007f\u0085',
    'a/'.repeat(300),
  ].map((value) => Buffer.from(value)),
  Buffer.from('eda080', 'hex'), // half of a surrogate pair
  Buffer.from('61c08062', 'hex'), // zero in two bytes
  Buffer.from('f4908080', 'hex'), // above U+10FFFF
  Buffer.from('c3', 'hex'), // cut
  Buffer.from('ff', 'hex'),
];

const longTexts = [Buffer.alloc(65_535, 'a'), Buffer.alloc(65_535, '/'), Buffer.alloc(65_535, 0xf0)];

export function hostileText(random: Random): Buffer {
  return random.oneIn(60) ? random.pick(longTexts) : random.pick(hostileTexts);
}

/** A property of any identifier with a value of any kind. */
export function anyProperty(random: Random): readonly Field[] {
  const id = byte(random.oneIn(8) ? random.below(256) : random.below(0x2b));
  switch (random.below(6)) {
    case 0:
      return [id, byte(random.below(3))];
    case 1:
      return [id, uint16(random.pick([0, 1, 10, 0xffff]))];
    case 2:
      return [id, uint32(random.pick([0, 1, 10, 0xffffffff]))];
    case 3:
      return [id, varint(random.pick([0, 1, 268_435_455]))];
    case 4:
      return [id, text(hostileText(random))];
    default:
      return [byte(0x26), text(hostileText(random)), text('v')];
  }
}

/** The same packet with one thing about its structure changed. */
export function mutateTree(random: Random, tree: PacketTree): PacketTree {
  const fields = [...tree.fields];
  const at = fields.length === 0 ? 0 : random.below(fields.length);
  const field = fields[at];
  switch (random.below(8)) {
    case 0:
      return { first: tree.first ^ (1 << random.below(8)), fields };
    case 1:
      fields.splice(at, 1);
      break;
    case 2:
      if (field !== undefined) fields.splice(random.below(fields.length + 1), 0, field);
      break;
    case 3:
      fields.reverse();
      break;
    case 4:
      fields.splice(at, 0, properties([anyProperty(random)]));
      break;
    default:
      if (field !== undefined) fields[at] = mutateField(random, field);
  }
  return { first: tree.first, fields };
}

function mutateField(random: Random, field: Field): Field {
  switch (field.kind) {
    case 'raw': {
      const bytes = Buffer.from(field.bytes);
      if (bytes.length === 0) return raw(random.bytes(random.below(10)));
      // Cut short where no length says so: the reader of a field must see the end itself.
      if (random.oneIn(4)) return raw(bytes.subarray(0, random.below(bytes.length)));
      if (random.oneIn(3)) bytes.fill(random.pick([0, 0xff]));
      else bytes[random.below(bytes.length)] = random.next();
      return { kind: 'raw', bytes };
    }
    case 'text':
      return text(hostileText(random));
    case 'varint':
      return varint(random.pick([0, 1, 127, 128, 268_435_455]));
    default:
      return properties(mutateProperties(random, [...field.list]));
  }
}

function mutateProperties(random: Random, list: (readonly Field[])[]): (readonly Field[])[] {
  const at = list.length === 0 ? 0 : random.below(list.length);
  const one = list[at] ?? anyProperty(random);
  switch (random.below(5)) {
    case 0:
      list.push(one);
      break;
    case 1:
      list.splice(at, 1);
      break;
    case 2:
      list.reverse();
      break;
    case 3:
      list.splice(
        at,
        1,
        one.map((field, index) => (index === 0 ? field : mutateField(random, field))),
      );
      break;
    default:
      list.splice(at, 0, anyProperty(random));
  }
  return list;
}

/** The same bytes with something changed that no structure explains: lengths that lie, cuts, bits. */
export function mutateBytes(random: Random, packet: Buffer): Buffer {
  const bytes = Buffer.from(packet);
  const at = random.below(bytes.length);
  switch (random.below(7)) {
    case 0:
      bytes[at]! ^= 1 << random.below(8);
      return bytes;
    case 1:
      return bytes.subarray(0, at + 1);
    case 2:
      return Buffer.concat([bytes.subarray(0, at), random.bytes(random.below(5)), bytes.subarray(at)]);
    case 3:
      if (bytes.length > 1) bytes[1] = random.pick([0, bytes[1]! - 1, bytes[1]! + 1, 0x7f, 0xff]);
      return bytes;
    case 4:
      bytes.fill(random.pick([0, 0xff]), at, Math.min(at + 2, bytes.length));
      return bytes;
    case 5:
      // The remaining length in more bytes than it needs.
      return Buffer.concat([bytes.subarray(0, 1), Buffer.of(bytes[1]! | 0x80, 0), bytes.subarray(2)]);
    default:
      bytes[at] = random.next();
      return bytes;
  }
}

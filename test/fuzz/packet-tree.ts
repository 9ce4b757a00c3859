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

export function byte(value: number): Field {
  return { kind: 'raw', bytes: Buffer.of(value) };
}

export function uint16(value: number): Field {
  return { kind: 'raw', bytes: Buffer.of(value >> 8, value) };
}

export function uint32(value: number): Field {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return { kind: 'raw', bytes };
}

export function varint(value: number): Field {
  return { kind: 'varint', value };
}

export function text(value: string | Buffer): Field {
  return { kind: 'text', bytes: typeof value === 'string' ? Buffer.from(value) : value };
}

export function raw(bytes: Buffer): Field {
  return { kind: 'raw', bytes };
}

export function properties(list: readonly (readonly Field[])[]): Field {
  return { kind: 'properties', list };
}

/** The packet's bytes, with every length as it should be. */
export function encodeTree(tree: PacketTree): Buffer {
  const body = Buffer.concat(tree.fields.map(encodeField));
  return Buffer.concat([Buffer.of(tree.first), encodeVarint(body.length), body]);
}

function encodeField(field: Field): Buffer {
  switch (field.kind) {
    case 'raw':
      return field.bytes;
    case 'text': {
      const { length } = field.bytes;
      return Buffer.concat([Buffer.of(length >> 8, length), field.bytes]);
    }
    case 'varint':
      return encodeVarint(field.value);
    default: {
      const inner = Buffer.concat(field.list.flatMap((property) => property.map(encodeField)));
      return Buffer.concat([encodeVarint(inner.length), inner]);
    }
  }
}

function encodeVarint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  do {
    bytes.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    rest >>>= 7;
  } while (rest > 0);
  return Buffer.from(bytes);
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

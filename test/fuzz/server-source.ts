import type { ProtocolVersion } from '#mqtt';
import {
  anyProperty,
  byte,
  encodeTree,
  hostileText,
  mutateBytes,
  mutateTree,
  properties,
  raw,
  text,
  uint16,
  type Field,
  type PacketTree,
} from './packet-tree.ts';
import type { Random } from './random.ts';

const packetIds = [0, 1, 2, 3, 4, 5, 0xffff];
const reasons = [0, 0, 0x10, 0x18, 0x19, 0x80, 0x87, 0x92, 0x97, 0xff];

/** What a broker might say that is broken, or means harm: packets of every type, out of place, and half of them spoiled. */
export function hostileAnswer(random: Random, version: ProtocolVersion): Buffer {
  const pieces: Buffer[] = [];
  for (let count = random.below(4); count >= 0; count--) {
    let tree = serverPacket(random, version);
    if (random.oneIn(3)) tree = mutateTree(random, tree);
    const bytes = encodeTree(tree);
    pieces.push(random.oneIn(4) ? mutateBytes(random, bytes) : bytes);
  }
  return Buffer.concat(pieces);
}

function serverPacket(random: Random, version: ProtocolVersion): PacketTree {
  const some = (): Field[] =>
    version === 5 ? [properties(random.oneIn(3) ? [anyProperty(random)] : [])] : [];
  const id = uint16(random.pick(packetIds));
  const choice = random.below(12);
  if (choice < 4) {
    const qos = random.below(3);
    const topic = random.oneIn(4) ? hostileText(random) : Buffer.from(random.pick(['a', 'a/b', '']));
    const fields = [text(topic), ...(qos > 0 ? [id] : []), ...some(), raw(Buffer.from('hostile'))];
    return { first: 0x30 | (qos << 1) | random.below(2), fields };
  }
  if (choice < 7) {
    const type = random.pick([4, 5, 6, 7]);
    const fields = version === 5 && random.oneIn(2) ? [id, byte(random.pick(reasons)), ...some()] : [id];
    return { first: (type << 4) | (type === 6 ? 2 : 0), fields };
  }
  if (choice === 7) return { first: 0x90, fields: [id, ...some(), raw(random.bytes(random.below(3)))] };
  if (choice === 8) return { first: 0xb0, fields: [id, ...some(), raw(random.bytes(random.below(3)))] };
  if (choice === 9)
    return { first: 0x20, fields: [byte(random.below(3)), byte(random.pick(reasons)), ...some()] };
  if (choice === 10 && version === 5 && random.oneIn(2)) return authentication(random);
  if (choice === 10 && version === 5)
    return { first: random.pick([0xe0, 0xf0]), fields: [byte(random.pick(reasons)), ...some()] };
  return { first: random.pick([0xd0, 0xc0, 0x10, 0x82]), fields: [] };
}

/** AUTH of the method that our client speaks. */
function authentication(random: Random): PacketTree {
  const list = [[byte(0x15), text(random.pick(['TEST', 'TEST', 'TEST', 'OTHER']))]];
  if (random.oneIn(2)) list.push([byte(0x16), text(random.pick(['more', 'no', '']))]);
  return { first: 0xf0, fields: [byte(random.pick([0, 0x18, 0x18, 0x19])), properties(list)] };
}

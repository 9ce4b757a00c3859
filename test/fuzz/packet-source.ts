import { bridgeProperty } from '#model';
import type { ProtocolVersion } from '#mqtt';
import {
  byte,
  hostileText,
  properties,
  raw,
  text,
  uint16,
  uint32,
  varint,
  type Field,
  type PacketTree,
} from './packet-tree.ts';
import type { Random } from './random.ts';

/** Few names, so that what one client does meets what another has done. */
const topics = buffers(['a', 'a/b', 'a/c', 'b', 'b/b', 'a/b/c', '$x/y', '__proto__', 'constructor/b', '/']);
const plainFilters = ['a', 'a/b', '#', '+', '+/b', 'a/+', 'a/#', '+/+', '$x/#', '__proto__', 'b/#', '/+'];
const shares = [
  '$share/g/a/b',
  '$share/g/#',
  '$share/h/a/+',
  '$share/g/+/b',
  '$share/constructor/#',
  '$share/g/$x/y',
];
const filters = buffers([...plainFilters, ...shares]);
const clientIds = ['a', 'b', 'c', 'd', 'shared', '__proto__', ''];
const packetIds = [1, 2, 3, 4, 5, 6, 7, 0xffff];
const payloadSizes = [0, 1, 5, 20, 60, 300];
/** Above it the broker keeps a frame where it stands, and writes it without a copy. */
const largePayload = 17_000;

function buffers(texts: readonly string[]): readonly Buffer[] {
  return texts.map((value) => Buffer.from(value));
}

/** What one connection of the fuzzer knows when it makes a packet. */
export interface Speaker {
  readonly version: ProtocolVersion;
  /** Packets of the broker that may be answered: type and packet id. */
  readonly unanswered: readonly (readonly [type: number, packetId: number])[];
}

type Properties = (readonly Field[])[];

/** Makes packets that are mostly valid, of every type. */
export class PacketSource {
  readonly #random: Random;
  #serial = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  connect(version: ProtocolVersion): PacketTree {
    const random = this.#random;
    const hasWill = random.oneIn(3);
    const hasUser = random.oneIn(8);
    const hasPassword = hasUser && random.oneIn(2);
    const willFlags = hasWill ? 4 | (random.below(3) << 3) | (random.below(2) << 5) : 0;
    const clean = random.oneIn(2) ? 2 : 0;
    const flags = clean | willFlags | (hasUser ? 0x80 : 0) | (hasPassword ? 0x40 : 0);
    const isBridge = version !== 5 && random.oneIn(10);
    const fields: Field[] = [
      text(version === 3 ? 'MQIsdp' : 'MQTT'),
      byte(version | (isBridge ? 0x80 : 0)),
      byte(flags),
      uint16(random.pick([0, 0, 1, 60, 0xffff])),
    ];
    if (version === 5) fields.push(properties(this.#connectProperties()));
    fields.push(text(random.pick(clientIds)));
    if (hasWill) {
      if (version === 5) fields.push(properties(this.#willProperties()));
      fields.push(text(this.#topic()), text(this.#payload()));
    }
    if (hasUser) fields.push(text(random.pick(['', 'u', 'refused', '__proto__'])));
    if (hasPassword) fields.push(text('p'));
    return { first: 0x10, fields };
  }

  publish(speaker: Speaker): PacketTree {
    const random = this.#random;
    const qos = random.below(3);
    const flags = (qos << 1) | (random.oneIn(4) ? 1 : 0) | (qos > 0 && random.oneIn(6) ? 8 : 0);
    const usesAlias = speaker.version === 5 && random.oneIn(4);
    const fields: Field[] = [text(usesAlias && random.oneIn(2) ? '' : this.#topic())];
    if (qos > 0) fields.push(uint16(random.pick(packetIds)));
    if (speaker.version === 5) fields.push(properties(this.#publishProperties(usesAlias)));
    fields.push(raw(this.#payload()));
    return { first: 0x30 | flags, fields };
  }

  subscribe(speaker: Speaker): PacketTree {
    const random = this.#random;
    const fields: Field[] = [uint16(random.pick(packetIds))];
    if (speaker.version === 5) {
      const list: Properties = [];
      if (random.oneIn(3)) list.push([byte(0x0b), varint(random.pick([1, 127, 128, 268_435_455]))]);
      fields.push(properties([...list, ...this.#userProperties()]));
    }
    for (let count = random.below(3); count >= 0; count--) {
      const filter = this.#filter();
      let options = random.below(3);
      if (speaker.version === 5) {
        options |= (random.below(2) << 3) | (random.below(3) << 4);
        if (!filter.subarray(0, 7).equals(shareBytes)) options |= random.below(2) << 2;
      }
      fields.push(text(filter), byte(options));
    }
    return { first: 0x82, fields };
  }

  /** Whatever anybody publishes, at any QoS. */
  subscribeAll(speaker: Speaker): PacketTree {
    const none = speaker.version === 5 ? [properties([])] : [];
    return { first: 0x82, fields: [uint16(1), ...none, text('#'), byte(this.#random.below(3))] };
  }

  unsubscribe(speaker: Speaker): PacketTree {
    const fields: Field[] = [uint16(this.#random.pick(packetIds))];
    if (speaker.version === 5) fields.push(properties(this.#userProperties()));
    for (let count = this.#random.below(2); count >= 0; count--) fields.push(text(this.#filter()));
    return { first: 0xa2, fields };
  }

  /** The right answer to something that waits for one, or one to nothing. */
  acknowledge(speaker: Speaker): PacketTree {
    const random = this.#random;
    const [type, packetId] =
      speaker.unanswered.length > 0 && !random.oneIn(8)
        ? random.pick(speaker.unanswered)
        : ([random.pick([4, 5, 6, 7]), random.pick(packetIds)] as const);
    const fields: Field[] = [uint16(packetId)];
    if (speaker.version === 5 && random.oneIn(4)) {
      fields.push(byte(random.pick([0, 0, 0x10, 0x80, 0x92, 0x97])));
      if (random.oneIn(2)) fields.push(properties(this.#userProperties()));
    }
    return { first: (type << 4) | (type === 6 ? 2 : 0), fields };
  }

  /** Lets the broker finish a QoS 2 message of ours. */
  release(): PacketTree {
    return { first: 0x62, fields: [uint16(this.#random.pick(packetIds))] };
  }

  disconnect(speaker: Speaker): PacketTree {
    const random = this.#random;
    const fields: Field[] = [];
    if (speaker.version === 5 && random.oneIn(2)) {
      fields.push(byte(random.pick([0, 4, 4, 0x80, 0x81])));
      if (random.oneIn(2)) {
        const list: Properties = random.oneIn(2) ? [[byte(0x11), uint32(this.#expiry())]] : [];
        fields.push(properties([...list, ...this.#userProperties()]));
      }
    }
    return { first: 0xe0, fields };
  }

  auth(): PacketTree {
    const random = this.#random;
    const list: Properties = [[byte(0x15), text(random.pick(['TEST', 'TEST', 'OTHER']))]];
    if (random.oneIn(2)) list.push([byte(0x16), text(random.pick(authWords))]);
    return { first: 0xf0, fields: [byte(random.pick([0, 0x18, 0x18, 0x19])), properties(list)] };
  }

  ping(): PacketTree {
    return { first: 0xc0, fields: [] };
  }

  /** A packet that only a server sends, or of no type at all. */
  stray(): PacketTree {
    const first = this.#random.pick([0x00, 0x20, 0x90, 0xb0, 0xd0]);
    return { first, fields: [raw(this.#random.bytes(this.#random.below(6)))] };
  }

  #topic(): Buffer {
    return this.#random.oneIn(30) ? hostileText(this.#random) : this.#random.pick(topics);
  }

  #filter(): Buffer {
    return this.#random.oneIn(20) ? hostileText(this.#random) : this.#random.pick(filters);
  }

  /** Each begins with a number of its own as far as there is room, so that what arrives can be told apart. */
  #payload(): Buffer {
    const size = this.#random.oneIn(400) ? largePayload : this.#random.pick(payloadSizes);
    const payload = Buffer.allocUnsafe(size).fill(0x2e);
    payload.write(String(this.#serial++), 'latin1');
    return payload;
  }

  #expiry(): number {
    return this.#random.pick([0, 1, 3, 4, 100, 0xffffffff]);
  }

  #userProperties(): Properties {
    const list: Properties = [];
    if (!this.#random.oneIn(6)) return list;
    for (let count = this.#random.below(8); count >= 0; count--) {
      const name = this.#random.oneIn(4) ? hostileText(this.#random) : 'name';
      list.push([byte(0x26), text(name), text('value')]);
    }
    return list;
  }

  #connectProperties(): Properties {
    const random = this.#random;
    const list: Properties = [];
    if (!random.oneIn(3)) list.push([byte(0x11), uint32(this.#expiry())]);
    if (random.oneIn(3)) list.push([byte(0x21), uint16(random.pick([1, 2, 5, 0xffff]))]);
    if (random.oneIn(5)) list.push([byte(0x27), uint32(random.pick([1, 5, 20, 60, 200, 0xffffffff]))]);
    if (random.oneIn(3)) list.push([byte(0x22), uint16(random.pick([0, 1, 2, 0xffff]))]);
    if (random.oneIn(6)) list.push([byte(0x19), byte(1)]);
    if (random.oneIn(6)) list.push([byte(0x17), byte(0)]);
    if (random.oneIn(8)) {
      list.push([byte(0x15), text(random.pick(['TEST', 'TEST', 'TEST', 'BROKEN', 'NONE']))]);
      if (random.oneIn(2)) list.push([byte(0x16), text(random.pick(authWords))]);
    }
    if (random.oneIn(30)) list.push([byte(0x26), text(bridgeProperty.broker), text('other')]);
    return [...list, ...this.#userProperties()];
  }

  #willProperties(): Properties {
    const list = this.#publishProperties(false);
    if (this.#random.oneIn(2)) list.push([byte(0x18), uint32(this.#random.pick([0, 1, 3, 0xffffffff]))]);
    return list;
  }

  #publishProperties(usesAlias: boolean): Properties {
    const random = this.#random;
    const list: Properties = [];
    if (usesAlias) list.push([byte(0x23), uint16(random.pick([1, 2, 3, 3, 4]))]);
    if (random.oneIn(5)) list.push([byte(0x02), uint32(random.pick([0, 1, 1, 2, 100, 0xffffffff]))]);
    if (random.oneIn(8)) list.push([byte(0x01), byte(random.below(2))]);
    if (random.oneIn(8)) list.push([byte(0x08), text(this.#topic())]);
    if (random.oneIn(8)) list.push([byte(0x09), text(random.bytes(4))]);
    if (random.oneIn(8)) list.push([byte(0x03), text('text/plain')]);
    return [...list, ...this.#userProperties()];
  }
}

const shareBytes = Buffer.from('$share/');

/** What the fuzzer's own authentication method understands. */
const authWords = ['', 'go on', 'yes', 'no', 'bad', 'other', 'later', 'throw', 'reject'];

import {
  decodePacket,
  FrameReader,
  PacketType,
  ReasonCode,
  type ConnackPacket,
  type ConnectPacket,
  type Packet,
  type ProtocolVersion,
  type PublishPacket,
} from '#mqtt';
import { MemoryTransport } from '../helpers/memory-transport.ts';

/** Types of a client's acknowledgements that end a message's time in flight, as far as can be told from outside. */
const finalAcknowledgements: ReadonlySet<number> = new Set([PacketType.Puback, PacketType.Pubcomp]);
/** What a client says that changes what the broker may answer; the rest need not be understood here. */
const followed: ReadonlySet<number> = new Set([
  ...finalAcknowledgements,
  PacketType.Pubrec,
  PacketType.Pingreq,
  PacketType.Disconnect,
]);
const longestFrame = 0x0fff_ffff;
/** DISCONNECT with a reason and nothing else. */
const leastDisconnect = 4;

/** A transport that takes several pieces with one call. */
class GatheringTransport extends MemoryTransport {
  writeAll(pieces: readonly Uint8Array[]): void {
    for (const piece of pieces) this.write(piece);
  }

  gatherUpTo(bytes: number): void {
    if (!(bytes > 0)) throw new Error(`messages are gathered up to ${bytes} bytes`);
  }
}

/**
 * One connection of the fuzzer. It says whatever it is given, understands what of it is MQTT as the broker must, and
 * holds the broker's answers against that: `fault` names the first that is wrong.
 */
export class FuzzPeer {
  readonly transport: MemoryTransport;
  /** What the broker got wrong; `null` = nothing. */
  fault: string | null = null;
  /** Packets of the broker that were not answered. */
  unanswered: [type: number, packetId: number][] = [];
  /** Answers what comes at once, as a good client does. */
  onPublish: (packet: PublishPacket) => void = () => {};
  version: ProtocolVersion = 4;
  isBlocked = false;
  /** The fuzzer ended it itself. */
  isBroken = false;
  #hasVersion = false;
  #connect: ConnectPacket | null = null;
  #connack: ConnackPacket | null = null;
  #saidGoodbye = false;
  #last: Packet | null = null;
  #pings = 0;
  readonly #inflight = new Set<number>();
  /** It acknowledged what had not come: the broker may have sent that already, so nobody knows what is in flight. */
  #answersAhead = false;
  readonly #aliases = new Map<number, string>();
  readonly #incoming: FrameReader;
  readonly #outgoing: FrameReader;

  constructor(address: string, writesAll = false) {
    this.transport = writesAll ? new GatheringTransport(address) : new MemoryTransport(address);
    this.#incoming = new FrameReader(
      { onFrame: (bytes, start, body, end) => this.#onAnswer(bytes, start, body, end) },
      longestFrame,
    );
    this.#outgoing = new FrameReader(
      { onFrame: (bytes, start, body, end) => this.#onOwn(bytes, start, body, end) },
      longestFrame,
    );
    this.transport.onOutput = (bytes) => {
      const code = this.#incoming.push(bytes);
      if (code !== ReasonCode.Success)
        this.#fail(`the broker sent what is no packet: ${bytes.toString('hex')}`);
    };
  }

  get isClosed(): boolean {
    return this.transport.isClosed;
  }

  get isConnected(): boolean {
    return this.#connack?.reasonCode === 0;
  }

  /** Bytes to the broker. */
  send(bytes: Buffer): void {
    if (this.isClosed) return;
    this.#outgoing.push(bytes);
    this.transport.feed(bytes);
  }

  block(): void {
    this.isBlocked = true;
    this.transport.block();
  }

  unblock(): void {
    this.isBlocked = false;
    this.transport.unblock();
  }

  breakOff(): void {
    this.isBroken = true;
    this.transport.breakOff();
  }

  /** Called when it is over: did it get the end that its version has? */
  checkEnd(): void {
    // What was on the way to a client that does not read is lost with its connection.
    if (!this.transport.isEnded || this.isBroken || this.isBlocked || this.fault !== null) return;
    if (!this.isConnected || this.version !== 5 || this.#saidGoodbye) return;
    const { maximumPacketSize = Infinity } = this.#connect?.properties ?? {};
    if (maximumPacketSize < leastDisconnect) return;
    if (this.#last?.type !== PacketType.Disconnect) this.#fail('it was closed without DISCONNECT');
    else if (this.#last.reasonCode < 0x80) this.#fail('DISCONNECT of the broker without a reason');
  }

  #fail(what: string): ReasonCode {
    this.fault ??= what;
    return ReasonCode.Success;
  }

  /** What the fuzzer says, understood as the broker must understand it. */
  #onOwn(bytes: Buffer, start: number, body: number, end: number): ReasonCode {
    if (this.#hasVersion && !followed.has(bytes[start]! >> 4)) return ReasonCode.Success;
    const packet = decodePacket(bytes, start, body, end, this.version);
    if (!this.#hasVersion) {
      this.#hasVersion = true;
      if (packet.type === 0) this.version = packet.protocolLevel >= 5 ? 5 : 4;
      else if (packet.type === PacketType.Connect) {
        this.version = packet.version;
        this.#connect = packet;
      }
      return ReasonCode.Success;
    }
    if (packet.type === PacketType.Disconnect) this.#saidGoodbye = true;
    if (packet.type === PacketType.Pingreq) this.#pings++;
    if (finalAcknowledgements.has(packet.type) || packet.type === PacketType.Pubrec) {
      const { packetId, reasonCode } = packet as { packetId: number; reasonCode: number };
      const isFinal = packet.type !== PacketType.Pubrec || reasonCode >= 0x80;
      if (!this.#inflight.has(packetId)) this.#answersAhead = true;
      if (isFinal) this.#inflight.delete(packetId);
      this.unanswered = this.unanswered.filter(([type, id]) => type !== packet.type || id !== packetId);
    }
    return ReasonCode.Success;
  }

  #onAnswer(bytes: Buffer, start: number, body: number, end: number): ReasonCode {
    const packet = decodePacket(bytes, start, body, end, this.version);
    const fault =
      packet.type === 0
        ? `the broker sent a malformed packet: ${packet.detail}`
        : this.#judgeSize(packet, end - start);
    return fault === null ? ReasonCode.Success : this.#fail(`${fault}: ${bytes.toString('hex', start, end)}`);
  }

  #judgeSize(packet: Packet, size: number): string | null {
    const { maximumPacketSize = Infinity } = this.#connect?.properties ?? {};
    if (size > maximumPacketSize) return `${size} bytes to a client that takes ${maximumPacketSize}`;
    const fault = this.#judge(packet);
    this.#last = packet;
    return fault;
  }

  #judge(packet: Packet): string | null {
    if (this.#connect === null && packet.type !== PacketType.Connack) return 'an answer before CONNECT';
    if (this.#last?.type === PacketType.Disconnect) return 'a packet after DISCONNECT';
    if (this.#connack === null) return this.#judgeFirst(packet);
    if (!this.isConnected) return 'a packet after a refusal';
    switch (packet.type) {
      case PacketType.Publish:
        return this.#judgePublish(packet);
      case PacketType.Pubrec:
        this.unanswered.push([PacketType.Pubrel, packet.packetId]);
        return packet.packetId === 0 ? 'PUBREC without an id' : null;
      case PacketType.Pubrel:
        this.unanswered.push([PacketType.Pubcomp, packet.packetId]);
        return packet.packetId === 0 ? 'PUBREL without an id' : null;
      case PacketType.Puback:
      case PacketType.Pubcomp:
      case PacketType.Suback:
      case PacketType.Unsuback:
        return packet.packetId === 0 ? 'an answer without an id' : null;
      case PacketType.Pingresp:
        return --this.#pings < 0 ? 'PINGRESP without PINGREQ' : null;
      case PacketType.Disconnect:
        return this.version === 5 ? null : 'DISCONNECT before MQTT 5';
      case PacketType.Auth:
        return this.#connect?.properties.authenticationMethod === undefined ? 'AUTH without a method' : null;
      default:
        return 'a packet that a server does not send';
    }
  }

  #judgeFirst(packet: Packet): string | null {
    if (packet.type === PacketType.Auth) return null;
    if (packet.type !== PacketType.Connack) return 'a packet before CONNACK';
    if (packet.reasonCode === 0 && this.#connect === null) return 'success without CONNECT';
    this.#connack = packet;
    return null;
  }

  #judgePublish(packet: PublishPacket): string | null {
    const { receiveMaximum = 65_535, topicAliasMaximum = 0 } = this.#connect?.properties ?? {};
    const alias = packet.properties?.topicAlias;
    if (alias !== undefined) {
      if (alias === 0 || alias > topicAliasMaximum) return 'an alias that the client did not allow';
      if (packet.topic !== '') this.#aliases.set(alias, packet.topic);
    }
    const topic = packet.topic === '' && alias !== undefined ? this.#aliases.get(alias) : packet.topic;
    if (topic === undefined || topic === '') return 'PUBLISH without a topic';
    if (/[+#\0]/.test(topic)) return 'PUBLISH to no topic name';
    packet.topic = topic;
    if (packet.qos > 0) {
      if (packet.packetId === 0) return 'PUBLISH without an id';
      if (this.#inflight.has(packet.packetId) && !packet.dup && !this.#answersAhead)
        return 'a packet id twice in flight';
      this.#inflight.add(packet.packetId);
      if (this.#inflight.size > receiveMaximum && !this.#answersAhead)
        return `more in flight than ${receiveMaximum}`;
      const type = packet.qos === 1 ? PacketType.Puback : PacketType.Pubrec;
      this.unanswered.push([type, packet.packetId]);
    }
    this.onPublish(packet);
    return null;
  }
}

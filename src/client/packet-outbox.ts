import type { Clock, Timer, Transport } from '#base';
import {
  encodePacket,
  publishLength,
  utf8Length,
  writeAck,
  writePublish,
  type AckPacket,
  type Packet,
  type ProtocolVersion,
  type PublishProperties,
  type Qos,
} from '#mqtt';
import type { Scheduler } from './client-options.ts';

const firstSlabBytes = 4 * 1024;
const largestSlabBytes = 64 * 1024;
/** Slabs kept for reuse; more than a turn or two ever has under way. */
const maximumSpareSlabs = 8;
/** What was gathered does not wait for company when it is this many bytes. */
const companyBytes = 8 * 1024;
/** An acknowledgement in its shortest form is 4 bytes, with a reason code 5. */
const ackBytes = 8;

/**
 * Gathers the packets of one turn of the event loop and hands them to the transport in one write: a write costs about
 * 4 µs whatever its size.
 *
 *      slab  [ written, transport may still hold it | gathered, not yet written | free ]
 *            0                                  #start                       #end
 *
 * Invariant: bytes before `#end` are never written to again until the transport has taken everything (`onDrain`).
 */
export class PacketOutbox {
  readonly #scheduler: Scheduler;
  readonly #version: ProtocolVersion;
  readonly #onTurnEnd: () => void;
  #transport: Transport | null = null;
  #slab: Buffer = Buffer.alloc(0);
  #slabBytes = firstSlabBytes;
  #start = 0;
  #end = 0;
  #scheduled = false;
  #writes = 0;
  #clock: Clock | null = null;
  #holdMs = 0;
  #held: Timer | null = null;
  #isHurried = false;
  #flushedAt = -Infinity;
  readonly #retired: Buffer[] = [];
  readonly #spare: Buffer[] = [];

  constructor(version: ProtocolVersion, scheduler: Scheduler) {
    this.#version = version;
    this.#scheduler = scheduler;
    this.#onTurnEnd = () => {
      this.#scheduled = false;
      if (this.#mayHold()) this.#held ??= this.#clock?.after(this.#holdMs, () => this.flush()) ?? null;
      else this.flush();
    };
  }

  /** Writes so far: lets a keep-alive see whether something was sent. */
  get writes(): number {
    return this.#writes;
  }

  /** Bytes gathered here and bytes that the system has not taken yet. */
  get pendingBytes(): number {
    return (this.#transport === null ? 0 : this.#transport.pendingBytes) + this.#end - this.#start;
  }

  /** From now on packets go to this transport. */
  attach(transport: Transport): void {
    this.#transport = transport;
  }

  /**
   * From now on messages wait up to `holdMs` milliseconds for company, so that many leave in one write; anything else
   * leaves at the end of the turn, with them, and so does the first message after a pause. 0 = nothing waits.
   */
  hold(clock: Clock, holdMs: number): void {
    this.#clock = clock;
    this.#holdMs = holdMs;
  }

  /** What is gathered by the end of this turn leaves then. */
  hurry(): void {
    this.#isHurried = true;
    if (this.#held === null || this.#scheduled) return;
    this.#scheduled = true;
    this.#scheduler(this.#onTurnEnd);
  }

  /** The transport is gone: what was gathered is forgotten, and so is what is sent from now on. */
  detach(): void {
    this.#transport = null;
    this.#letGo();
    this.#retired.length = 0;
    this.#slab = Buffer.alloc(0);
    this.#start = 0;
    this.#end = 0;
  }

  /** False: the packet would be larger than `maximumPacketSize` and was not sent. */
  publish(
    topic: string,
    payload: Buffer,
    qos: Qos,
    retain: boolean,
    dup: boolean,
    packetId: number,
    properties: PublishProperties | null,
    maximumPacketSize: number,
  ): boolean {
    const topicLength = utf8Length(topic);
    const length = publishLength(topicLength, payload.length, qos, properties, this.#version);
    if (length > maximumPacketSize) return false;
    if (this.#transport === null) return true;
    this.#makeRoom(length);
    this.#end = writePublish(
      this.#slab,
      this.#end,
      topic,
      topicLength,
      payload,
      qos,
      retain,
      dup,
      packetId,
      properties,
      this.#version,
    );
    return true;
  }

  ack(type: AckPacket['type'], packetId: number, reasonCode: number): void {
    if (this.#transport === null) return;
    this.#isHurried = true;
    this.#makeRoom(ackBytes);
    this.#end = writeAck(this.#slab, this.#end, type, packetId, reasonCode, this.#version);
  }

  /** Any packet that is not sent often. */
  packet(packet: Packet): void {
    if (this.#transport === null) return;
    this.#isHurried = true;
    const bytes = encodePacket(packet, this.#version);
    this.#makeRoom(bytes.length);
    this.#end += bytes.copy(this.#slab, this.#end);
  }

  /** Writes what was gathered, now instead of at the end of the turn. */
  flush(): void {
    this.#letGo();
    if (this.#start === this.#end || this.#transport === null) return;
    if (this.#clock !== null) this.#flushedAt = this.#clock.monotonic();
    const bytes = this.#slab.subarray(this.#start, this.#end);
    this.#start = this.#end;
    this.#writes += 1;
    this.#transport.write(bytes);
  }

  /** The transport has taken everything: all slabs may be written again. */
  onDrain(): void {
    if (this.#start === this.#end) {
      this.#start = 0;
      this.#end = 0;
    }
    for (const slab of this.#retired) {
      if (this.#spare.length < maximumSpareSlabs && slab.length === this.#slabBytes) this.#spare.push(slab);
    }
    this.#retired.length = 0;
  }

  #mayHold(): boolean {
    if (this.#holdMs === 0 || this.#isHurried || this.#clock === null) return false;
    if (this.#end - this.#start >= companyBytes) return false;
    return this.#clock.monotonic() - this.#flushedAt < this.#holdMs;
  }

  #letGo(): void {
    this.#held?.cancel();
    this.#held = null;
    this.#isHurried = false;
  }

  #makeRoom(bytes: number): void {
    if (!this.#scheduled) {
      this.#scheduled = true;
      this.#scheduler(this.#onTurnEnd);
    }
    if (this.#slab.length - this.#end >= bytes) return;
    this.flush();
    if (this.#slab.length > 0) this.#retired.push(this.#slab);
    // Grows with what is sent: thousands of quiet clients hold 4 KiB each, a busy one 64 KiB.
    if (this.#slab.length === this.#slabBytes && this.#slabBytes < largestSlabBytes) {
      this.#slabBytes *= 2;
      this.#spare.length = 0;
    }
    this.#slab =
      bytes > this.#slabBytes
        ? Buffer.allocUnsafeSlow(bytes)
        : (this.#spare.pop() ?? Buffer.allocUnsafeSlow(this.#slabBytes));
    this.#start = 0;
    this.#end = 0;
  }
}

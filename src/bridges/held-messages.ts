import type { PublishPacket } from '#mqtt';

const maximumMessages = 10_000;
const maximumBytes = 16 * 1024 * 1024;

/**
 * Messages that wait in the bridge because our broker's window is full and the sender does not keep it. Reading cannot
 * be stopped instead: the PUBREL that makes room comes by the same stream. Cleared with each connection: the sender's
 * session has them all and sends them again.
 */
export class HeldMessages {
  #messages: PublishPacket[] = [];
  #head = 0;
  #bytes = 0;

  get isEmpty(): boolean {
    return this.#head === this.#messages.length;
  }

  /** Copies the message. False: the bound is reached, nothing was taken. */
  push(packet: PublishPacket): boolean {
    const size = packet.payload.length + packet.topic.length;
    if (this.#messages.length - this.#head >= maximumMessages || this.#bytes + size > maximumBytes)
      return false;
    const { type, topic, qos, retain, dup, packetId, properties } = packet;
    const payload = Buffer.from(packet.payload);
    this.#messages.push({ type, topic, payload, qos, retain, dup, packetId, properties });
    this.#bytes += size;
    return true;
  }

  shift(): PublishPacket | undefined {
    const packet = this.#messages[this.#head];
    if (packet === undefined) return undefined;
    this.#head += 1;
    this.#bytes -= packet.payload.length + packet.topic.length;
    if (this.isEmpty) this.clear();
    return packet;
  }

  clear(): void {
    this.#messages = [];
    this.#head = 0;
    this.#bytes = 0;
  }
}

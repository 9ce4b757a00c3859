import { ReasonCode } from '#mqtt';
import type { PrintedMessage } from './output-format.ts';

/** A broker that sends more bytes before it releases some is left. */
const maximumBytes = 512 * 1024 * 1024;

/** QoS 2 messages, from their PUBLISH to their PUBREL: a repeat is not printed again. */
export class HeldMessages {
  readonly #messages = new Map<number, PrintedMessage>();
  readonly #maximumMessages: number;
  #bytes = 0;

  /** Messages that the broker may have under way: its receive maximum. */
  constructor(maximumMessages: number) {
    this.#maximumMessages = maximumMessages;
  }

  /** Keeps a copy. Gives the reason code with which the broker is to be left, 0 = none. */
  add(message: PrintedMessage): ReasonCode {
    const { packetId, payload, properties } = message;
    if (this.#messages.has(packetId)) return ReasonCode.Success;
    if (this.#messages.size >= this.#maximumMessages) return ReasonCode.ReceiveMaximumExceeded;
    if (this.#bytes + payload.length > maximumBytes) return ReasonCode.QuotaExceeded;
    this.#bytes += payload.length;
    const correlationData = properties?.correlationData;
    this.#messages.set(packetId, {
      ...message,
      // Copies: views would pin the chunk.
      payload: Buffer.from(payload),
      properties:
        properties === null || correlationData === undefined
          ? properties
          : { ...properties, correlationData: Buffer.from(correlationData) },
    });
    return ReasonCode.Success;
  }

  /** The message that its sender has released; `undefined`: there was none, or it was taken before. */
  take(packetId: number): PrintedMessage | undefined {
    const message = this.#messages.get(packetId);
    this.#messages.delete(packetId);
    this.#bytes -= message?.payload.length ?? 0;
    return message;
  }

  /** The session is over, and so are its messages. */
  clear(): void {
    this.#messages.clear();
    this.#bytes = 0;
  }
}

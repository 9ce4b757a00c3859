import { ReasonCode } from '#mqtt';

/** By these a receiver says that what it was sent is at fault: not the sender, and not the time. */
const blames: ReadonlySet<number> = new Set([
  ReasonCode.MalformedPacket,
  ReasonCode.ProtocolError,
  ReasonCode.ImplementationSpecificError,
  ReasonCode.NotAuthorized,
  ReasonCode.TopicNameInvalid,
  ReasonCode.PacketTooLarge,
  ReasonCode.PayloadFormatInvalid,
  ReasonCode.RetainNotSupported,
  ReasonCode.QosNotSupported,
]);

/** Links in a row that were ended so, and nothing acknowledged, before messages are sent one by one. */
const patience = 2;

/**
 * Finds the message for which a receiver ends the link each time, instead of refusing it: it would come again for ever
 * and nothing behind it would leave. After two such ends messages are sent one by one; one that alone is under way when
 * the receiver blames what it got is given up. Only MQTT 5 says why it closes, so only there: what is cut off without a
 * word is never given up.
 */
export class Suspicion {
  #endings = 0;
  /** Over this connection messages are sent one by one. */
  #isOneByOne = false;
  #onTrial = 0;
  #condemned = 0;

  /** The next connection is to send one message at a time. */
  get isAroused(): boolean {
    return this.#endings >= patience;
  }

  /** A connection begins. True: one message at a time. */
  start(): boolean {
    this.#isOneByOne = this.isAroused;
    this.#onTrial = 0;
    return this.#isOneByOne;
  }

  /** A message at QoS 1 or 2 was passed on. */
  onSent(packetId: number): void {
    if (this.#isOneByOne) this.#onTrial = packetId;
  }

  /** The receiver has said something to it, or it was dropped here. */
  onAnswered(packetId: number): void {
    this.#endings = 0;
    if (this.#onTrial === packetId) this.#onTrial = 0;
  }

  /** The receiver has ended the link, and says why. True: the message on trial is given up. */
  onLeft(reasonCode: number, isUnderWay: boolean): boolean {
    if (!blames.has(reasonCode) || !isUnderWay) return false;
    if (this.#onTrial === 0) {
      this.#endings++;
      return false;
    }
    this.#condemned = this.#onTrial;
    this.#endings = 0;
    return true;
  }

  /** The message is the one that was given up. What is no repeat is another one, under the same id. */
  isCondemned(packetId: number, isRepeat: boolean): boolean {
    if (this.#condemned === 0 || packetId !== this.#condemned) return false;
    this.#condemned = 0;
    return isRepeat;
  }
}

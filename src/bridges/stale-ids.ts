import type { RelaySessions } from './relay-sessions.ts';

/**
 * Packet ids under which a receiver may still hold a QoS 2 message of an exchange that will never be finished: it would
 * take another message under the same id for a repeat, and drop it. Such an id is released first, by a PUBREL of our own.
 */
export class StaleIds {
  /**
   * Ids that are surely not stale; `null` = none is. Held over connections: an id is sure only when the receiver has
   * answered for it. (Cut just there, a message may come twice: better than not at all.)
   */
  #sure: Set<number> | null = null;
  /** The sender has lost its session, so what it calls a repeat may be a message that the receiver never saw. */
  #doubtsRepeats = false;
  /** Ids whose PUBREL was ours: its PUBCOMP is not the sender's business. */
  readonly #releasing = new Set<number>();
  /** Our PUBREL may not have come through. */
  readonly #owed = new Set<number>();

  start({ senderSessionPresent, receiverSessionPresent, isOtherPlace }: RelaySessions): void {
    this.#releasing.clear();
    if (receiverSessionPresent && senderSessionPresent && !isOtherPlace) return;
    this.#owed.clear();
    // A sender that lost its session counts its ids anew. Another place may have kept what was cut off there before.
    this.#doubtsRepeats = receiverSessionPresent && (this.#doubtsRepeats || !senderSessionPresent);
    this.#sure = receiverSessionPresent ? new Set() : null;
  }

  /** True: PUBREL has to go before this PUBLISH. A repeat goes on with an exchange that both sides know. */
  mustRelease(packetId: number, isRepeat: boolean): boolean {
    if (this.#sure === null || this.#sure.has(packetId)) return false;
    if (isRepeat && !this.#doubtsRepeats && !this.#owed.has(packetId)) return false;
    this.#releasing.add(packetId);
    this.#owed.add(packetId);
    return true;
  }

  /** PUBCOMP has come. True: for a PUBREL of ours. */
  onReleased(packetId: number): boolean {
    if (!this.#releasing.delete(packetId)) return false;
    this.#sure?.add(packetId);
    this.#owed.delete(packetId);
    return true;
  }
}

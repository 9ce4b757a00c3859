/** So often a retained message is sent again before "no room" is taken to mean: not this one. */
const tries = 5;
const maximumTopics = 1000;

/**
 * 0x97 on a retained message may mean that the disk is full, or that no more topics are retained. The first passes; the
 * second would block everything behind the message for ever.
 */
export class Patience {
  readonly #tries = new Map<string, number>();

  /** It was refused once more. True: it is to be given up. */
  isOver(topic: string): boolean {
    const count = (this.#tries.get(topic) ?? 0) + 1;
    if (count > tries) {
      this.#tries.delete(topic);
      return true;
    }
    if (this.#tries.size >= maximumTopics) this.#tries.clear();
    this.#tries.set(topic, count);
    return false;
  }
}

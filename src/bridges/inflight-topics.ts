/** Twice the bridge's own window and more: ids of one window seldom meet. A power of two. */
const slots = 2048;

/** Which topic a packet id stood for, as well as a small ring can tell: for log lines about refusals. */
export class InflightTopics {
  readonly #ids = new Uint16Array(slots);
  readonly #topics: string[] = new Array<string>(slots).fill('');

  set(packetId: number, topic: string): void {
    const slot = packetId & (slots - 1);
    this.#ids[slot] = packetId;
    this.#topics[slot] = topic;
  }

  get(packetId: number): string {
    const slot = packetId & (slots - 1);
    return this.#ids[slot] === packetId ? this.#topics[slot]! : 'unknown';
  }
}

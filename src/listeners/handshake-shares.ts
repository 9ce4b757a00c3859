import { networkOf } from '#broker';

/**
 * Handshakes under way by address, so that one cannot take all places: it may have as many as it leaves for others, which
 * is half of what those do not use.
 */
export class HandshakeShares {
  readonly #byNetwork = new Map<string, number>();

  /** Whether this address may begin one more while `free` places are left. */
  hasRoom(address: string, free: number): boolean {
    return (this.#byNetwork.get(networkOf(address)) ?? 0) < free;
  }

  /** A handshake of this address begins; `release` has to follow, once. */
  take(address: string): void {
    const network = networkOf(address);
    this.#byNetwork.set(network, (this.#byNetwork.get(network) ?? 0) + 1);
  }

  release(address: string): void {
    const network = networkOf(address);
    const count = (this.#byNetwork.get(network) ?? 0) - 1;
    if (count > 0) this.#byNetwork.set(network, count);
    else this.#byNetwork.delete(network);
  }
}

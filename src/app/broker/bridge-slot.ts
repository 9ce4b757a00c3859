import type { Bridge } from '#bridges';
import type { BridgeConfig } from '#config';

/** A bridge, with all that it was made of: when one thing of it changes, another one takes its place. */
export interface MadeBridge {
  readonly config: BridgeConfig;
  readonly password: string | undefined;
  /** Stands for what its TLS files held; empty = there are none, or they could not be read. */
  readonly files: string;
  readonly bridge: Bridge;
}

/** Begins to tell of a bridge; what is returned ends it. */
export type TellOf = (made: MadeBridge) => () => void;

/** The place of one bridge, by its name. One queue has one bridge: the next begins when the one before it has left. */
export class BridgeSlot {
  readonly #tellOf: TellOf;
  #running: MadeBridge | null = null;
  #next: MadeBridge | null = null;
  #left: Promise<void> | null = null;
  #silence: () => void = () => {};

  constructor(tellOf: TellOf) {
    this.#tellOf = tellOf;
  }

  /** What runs here, or will as soon as it can; `null` = nothing. */
  get wanted(): MadeBridge | null {
    return this.#left === null ? this.#running : this.#next;
  }

  /** What runs here now, also while it leaves; `null` = nothing. */
  get running(): MadeBridge | null {
    return this.#running;
  }

  /** From now on this one runs, or none. `lazy`: a link that stands is used until it is lost. */
  set(made: MadeBridge | null, when: 'now' | 'lazy'): void {
    if (made !== null && made === this.wanted) return;
    this.#next = made;
    const { bridge } = this.#running ?? {};
    if (bridge === undefined) {
      this.#beginNext();
      return;
    }
    const gone = when === 'lazy' ? bridge.closeWhenLost() : bridge.close();
    this.#left ??= gone.then(() => {
      this.#left = null;
      this.#running = null;
      this.#silence();
      this.#beginNext();
    });
  }

  /** Says goodbye; the queue stays in the broker. */
  async close(): Promise<void> {
    this.set(null, 'now');
    await this.#left;
  }

  #beginNext(): void {
    const made = this.#next;
    this.#next = null;
    if (made === null) return;
    this.#running = made;
    this.#silence = this.#tellOf(made);
    made.bridge.start();
  }
}

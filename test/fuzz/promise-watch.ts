import { promiseHooks } from 'node:v8';

/**
 * Knows whether any promise was made or settled in this process since it was last asked: only then is there anything
 * to wait for. It saves a case of the fuzzer some hundred empty rounds of the microtask queue.
 */
export class PromiseWatch {
  #events = 0;
  #seen = 0;
  readonly #stop: () => void;

  constructor() {
    const count = (): void => void this.#events++;
    this.#stop = promiseHooks.createHook({ init: count, settled: count }) as () => void;
  }

  /** Whether anything has happened to a promise since the last `forget`. */
  get hasSeen(): boolean {
    return this.#events !== this.#seen;
  }

  forget(): void {
    this.#seen = this.#events;
  }

  stop(): void {
    this.#stop();
  }
}

import process from 'node:process';

/** A second Ctrl-C within this time is the first one seen twice (by the terminal and by npm). */
const sameSignalMs = 1500;

export interface StopSignal {
  /** Resolves at the first SIGINT or SIGTERM, or when the process that started this one is gone. */
  readonly signalled: Promise<void>;
  /** Signals have their usual effect again. */
  release(): void;
}

/**
 * Waits for the order to stop. A second order, given later, ends the process at once with exit code 1. A daemon outlives
 * the process that started it.
 */
export function waitForStop(options: { readonly isDaemon?: boolean } = {}): StopSignal {
  let firstAt = 0;
  let resolve: () => void = () => {};
  const signalled = new Promise<void>((done) => {
    resolve = done;
  });
  const onSignal = (): void => {
    const now = performance.now();
    if (firstAt === 0) firstAt = now;
    else if (now - firstAt > sameSignalMs) process.exit(1);
    resolve();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  // Started by the demo's supervisor: without it this process must not live on.
  if (options.isDaemon !== true) process.on('disconnect', resolve);
  // Timers alone do not keep a process alive (base/clock.ts); waiting for the order does.
  const keepAlive = setInterval(() => {}, 2 ** 30);
  return {
    signalled,
    release() {
      clearInterval(keepAlive);
      process.off('SIGINT', onSignal);
      process.off('SIGTERM', onSignal);
      process.off('disconnect', resolve);
    },
  };
}

/** What a running role does at the signals that do not end it. */
export interface RoleSignals {
  /** SIGHUP. Never called while an earlier call is not over: then once more when it is. Never rejects. */
  onReload(): Promise<void>;
  /** SIGUSR1. */
  onSave(): void;
  /** SIGUSR2. */
  onTell(): void;
}

/**
 * Watches for SIGHUP, SIGUSR1 (Node's own answer would be to open its debugger) and SIGUSR2 until disposed of. From the
 * first moment of a start: unwatched they end the process. A SIGHUP that comes before there is somebody to serve is kept.
 */
export class SignalWatch implements Disposable {
  #signals: RoleSignals | null = null;
  /** The reload that is under way. */
  #reload: Promise<void> | null = null;
  #isReloadAsked = false;

  constructor() {
    process.on('SIGHUP', this.#onHangup);
    process.on('SIGUSR1', this.#onUser1);
    process.on('SIGUSR2', this.#onUser2);
  }

  /** The role runs: its answers from now on. */
  serve(signals: RoleSignals): void {
    this.#signals = signals;
    if (this.#isReloadAsked) this.#onHangup();
  }

  /** The role is about to end: no more reloads. Resolves when the one that is under way is over. */
  async retire(): Promise<void> {
    this.#signals = null;
    await this.#reload;
  }

  [Symbol.dispose](): void {
    process.off('SIGHUP', this.#onHangup);
    process.off('SIGUSR1', this.#onUser1);
    process.off('SIGUSR2', this.#onUser2);
  }

  readonly #onHangup = (): void => {
    this.#isReloadAsked = true;
    if (this.#signals === null || this.#reload !== null) return;
    this.#isReloadAsked = false;
    this.#reload = this.#signals.onReload().finally(() => {
      this.#reload = null;
      if (this.#isReloadAsked) this.#onHangup();
    });
  };

  readonly #onUser1 = (): void => this.#signals?.onSave();

  readonly #onUser2 = (): void => this.#signals?.onTell();
}

/** Tells the process that started this one, if it listens, that everything runs. */
export function reportReady(): void {
  process.send?.({ kind: 'ready' });
}

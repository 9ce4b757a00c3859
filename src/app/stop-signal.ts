import process from 'node:process';

/** A second Ctrl-C within this time is the first one seen twice (by the terminal and by npm). */
const sameSignalMs = 1500;

export interface StopSignal {
  /** Resolves at the first SIGINT or SIGTERM, or when the process that started this one is gone. */
  readonly signalled: Promise<void>;
  /** Signals have their usual effect again. */
  release(): void;
}

/** Waits for the order to stop. A second order, given later, ends the process at once with exit code 1. */
export function waitForStop(): StopSignal {
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
  process.on('disconnect', resolve);
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

/** Tells the process that started this one, if it listens, that everything runs. */
export function reportReady(): void {
  process.send?.({ kind: 'ready' });
}

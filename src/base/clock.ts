/**
 * Time, injected. Nothing else in the project reads the time or sets a timer of its own, so tests can own it.
 * Hot code calls `now()` once per chunk of bytes, never once per packet.
 */
export interface Clock {
  /** Wall time in milliseconds since 1970 (UTC). May jump when the system's clock is set. */
  now(): number;
  /** Milliseconds that never run backwards; only differences mean anything. */
  monotonic(): number;
  /** Calls back once after `delayMs`. A timer alone does not keep the process alive. */
  after(delayMs: number, callback: () => void): Timer;
  /** Calls back every `periodMs`. A timer alone does not keep the process alive. */
  every(periodMs: number, callback: () => void): Timer;
}

export interface Timer {
  cancel(): void;
}

export class SystemClock implements Clock {
  now(): number {
    return Date.now();
  }

  monotonic(): number {
    return performance.now();
  }

  after(delayMs: number, callback: () => void): Timer {
    const handle = setTimeout(callback, Math.min(delayMs, 2 ** 31 - 1));
    handle.unref();
    return { cancel: () => clearTimeout(handle) };
  }

  every(periodMs: number, callback: () => void): Timer {
    const handle = setInterval(callback, periodMs);
    handle.unref();
    return { cancel: () => clearInterval(handle) };
  }
}

const nobodysCell = new Int32Array(new SharedArrayBuffer(4));

/** Stops this thread, with everything that runs in it. */
export function blockThread(milliseconds: number): void {
  Atomics.wait(nobodysCell, 0, 0, milliseconds);
}

/** Resolves after `delayMs`; rejects with the signal's reason when it aborts first. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(signal.reason as Error);
      return;
    }
    const onAbort = (): void => {
      timer.cancel();
      reject(signal?.reason as Error);
    };
    const timer = clock.after(delayMs, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

import type { Clock } from '#base';

const nanosecondsOfMillisecond = 1_000_000;
/** The system's clock was set when it is off by more, in milliseconds. */
const maximumDriftMs = 2;

/** Wall time in nanoseconds, finer than a millisecond: the clock's time where it was last asked, and a counter since then. */
export function createNanosecondClock(clock: Clock): () => bigint {
  let wall = clock.now();
  let counter = clock.monotonic();
  return () => {
    const now = clock.now();
    let elapsed = clock.monotonic() - counter;
    if (Math.abs(wall + elapsed - now) > maximumDriftMs) {
      wall = now;
      counter += elapsed;
      elapsed = 0;
    }
    const milliseconds = Math.floor(elapsed);
    const rest = Math.floor((elapsed - milliseconds) * nanosecondsOfMillisecond);
    return BigInt(Math.floor(wall) + milliseconds) * BigInt(nanosecondsOfMillisecond) + BigInt(rest);
  };
}

import { existsSync, renameSync, writeFileSync } from 'node:fs';

const library = ['x86_64', 'aarch64']
  .map((machine) => `/usr/lib/${machine}-linux-gnu/faketime/libfaketimeMT.so.1`)
  .find((file) => existsSync(file));

/** Why clocks cannot be set here; `null` = they can. */
export function whyNoClocks(): string | null {
  return library === undefined ? 'libfaketime is not installed (Debian: apt-get install libfaketime)' : null;
}

/**
 * The wall clock that a process sees (libfaketime): it runs, and is set while the process does. The monotonic clock is the
 * system's, as it is when a system's clock is set.
 */
export class RoleClock {
  readonly name: string;
  readonly #file: string;
  #offsetSeconds = 0;

  constructor(name: string, file: string) {
    this.name = name;
    this.#file = file;
  }

  get offsetSeconds(): number {
    return this.#offsetSeconds;
  }

  /** What the process has to be started with. */
  get environment(): Readonly<Record<string, string>> {
    return {
      LD_PRELOAD: library ?? '',
      FAKETIME_TIMESTAMP_FILE: this.#file,
      FAKETIME_CACHE_DURATION: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    };
  }

  /** So many seconds before or behind the true time, within a second from now. */
  set(offsetSeconds: number): void {
    this.#offsetSeconds = offsetSeconds;
    const sign = offsetSeconds < 0 ? '-' : '+';
    writeFileSync(`${this.#file}.new`, `${sign}${Math.abs(offsetSeconds)}\n`);
    renameSync(`${this.#file}.new`, this.#file);
  }
}

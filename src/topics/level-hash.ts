import type { LevelText } from './level-text.ts';

/** Two words that nobody outside of the process knows. */
export interface HashKey {
  readonly low: number;
  readonly high: number;
}

/** A key by chance. */
export function createHashKey(): HashKey {
  const [low = 0, high = 0] = crypto.getRandomValues(new Int32Array(2));
  return { low, high };
}

/**
 * The hash of the level `[start, end)` under a parent: HalfSipHash-1-3 of its bytes and the parent's number. Peers
 * choose names and order: without the key none can be found that meet, and one that is found to meet another
 * (by its time) tells nothing about a third.
 */
export function hashOfLevel(
  text: LevelText,
  start: number,
  end: number,
  parent: number,
  key: HashKey,
): number {
  let v0 = key.low;
  let v1 = key.high;
  let v2 = 0x6c796765 ^ key.low;
  let v3 = 0x74656462 ^ key.high;
  // The whole words, the rest with the length, the parent.
  for (let at = start; ; at += 4) {
    let word = parent;
    if (at + 4 <= end) word = text.wordAt(at);
    else if (at <= end) word = text.restAt(at, end) | ((end - start) << 24);
    v3 ^= word;
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    v0 ^= word;
    if (at > end) break;
  }
  v2 ^= 0xff;
  // In two loops: one for both would be half as long, and takes 760 instructions instead of 520 (a name of 3 bytes).
  for (let round = 0; round < 3; round++) {
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
  }
  return v1 ^ v3;
}

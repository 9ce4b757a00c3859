/** Seconds in plain decimal, to the millisecond: `5`, `0.01`; never with an exponent, which no detector understands. */
export function formatSeconds(seconds: number): string {
  return seconds.toFixed(3).replace(/\.?0+$/, '');
}

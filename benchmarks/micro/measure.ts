import { styleText } from 'node:util';

const rounds = 5;

/** Prints and returns nanoseconds per call: the best of several rounds of `count` calls, after one to warm up. */
export function measure(name: string, count: number, run: (count: number) => number): number {
  let best = Infinity;
  let sum = 0;
  for (let round = 0; round <= rounds; round++) {
    const begin = process.hrtime.bigint();
    sum += run(count);
    const elapsed = Number(process.hrtime.bigint() - begin) / count;
    if (round > 0) best = Math.min(best, elapsed);
  }
  // The sum is printed so that nothing that is measured can be left out as unused.
  process.stdout.write(
    `${best.toFixed(1).padStart(8)} ns/op  ${name} ${styleText('dim', `(${sum % 10})`)}\n`,
  );
  return best;
}

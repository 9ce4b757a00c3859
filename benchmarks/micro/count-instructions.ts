/**
 * Runs the hot functions for `scripts/check-instructions.ts`, which counts the processor's instructions from outside
 * (valgrind). Every call of `mark` ends one stretch of counting; what lies between the two marks of a function is it.
 * Prints a line of JSON for each mark: what the stretch that it ends was.
 */
import { getPriority } from 'node:os';
import process from 'node:process';
import { hotFunctions } from './hot-functions.ts';

/** Enough that the loop around them counts for nothing. */
const calls = 4000;
/** So many rounds until V8 has compiled what a busy broker runs; then all that lives long is moved to where it stays. */
const warmUpRounds = 10;
const settledRounds = 3;

/** valgrind ends a stretch at each call of the C function `getpriority`, which nothing else here calls. */
function mark(name: string | null): void {
  getPriority();
  process.stdout.write(`${JSON.stringify({ name, calls })}\n`);
}

let sum = 0;
for (const { name, prepare } of hotFunctions) {
  const run = prepare();
  for (let round = 0; round < warmUpRounds; round++) sum += run(calls);
  globalThis.gc?.();
  for (let round = 0; round < settledRounds; round++) sum += run(calls);
  mark(null);
  sum += run(calls);
  mark(name);
}
// Printed so that nothing can be left out as unused.
process.stderr.write(`${sum}\n`);
process.exit(0);

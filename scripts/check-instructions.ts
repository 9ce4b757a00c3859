/**
 * Fails when a function of the hot path needs more than 20 % more processor instructions for the same input than is
 * recorded in `benchmarks/micro/instructions.json`. Counted by valgrind, not timed: a busy machine gives the same figures.
 *   node --conditions=source scripts/check-instructions.ts [--write]
 * `--write` records the figures of now: after a change that costs more on purpose, or for another Node.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';

/** Above the record. A new V8 is another record, so nothing else than our own code can move a figure so far. */
const allowedGain = 0.2;

const limitMs = 300_000;
const root = path.dirname(import.meta.dirname);
const recordFile = path.join(root, 'benchmarks/micro/instructions.json');

interface Record {
  /** Instructions per call hold for one Node on one kind of processor. */
  readonly node: string;
  readonly processor: string;
  readonly instructionsPerCall: { readonly [name: string]: number };
}

const program = [
  '--conditions=source',
  // V8 compiles and collects in its one thread, at points that depend on nothing but the program.
  '--single-threaded',
  '--predictable',
  '--hash-seed=1',
  '--random-seed=1',
  '--expose-gc',
  // Compiles for speed after fewer calls than usual: valgrind is slow.
  '--invocation-count-for-maglev=100',
  '--invocation-count-for-turbofan=200',
  path.join(root, 'benchmarks/micro/count-instructions.ts'),
];

/** Instructions per call by function; each stretch between two marks is one file of valgrind's. */
function count(): Map<string, number> {
  const folder = mkdtempSync(path.join(tmpdir(), 'davylamp-instructions-'));
  try {
    const options = ['--tool=callgrind', '--dump-before=getpriority', `--callgrind-out-file=${folder}/out`];
    const run = spawnSync('valgrind', [...options, process.execPath, ...program], {
      encoding: 'utf8',
      timeout: limitMs,
      env: { PATH: process.env['PATH'] ?? '' },
    });
    if (run.status !== 0) throw new Error(`valgrind failed (${run.status}): ${run.stderr.slice(-2000)}`);
    const marks = run.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { name: string | null; calls: number });
    const dumps = readdirSync(folder).filter((file) => /^out\.\d+$/.test(file)).length;
    if (dumps !== marks.length) throw new Error(`${marks.length} marks made ${dumps} stretches`);
    const perCall = new Map<string, number>();
    for (const [index, mark] of marks.entries()) {
      if (mark.name === null) continue;
      const text = readFileSync(path.join(folder, `out.${index + 1}`), 'utf8');
      const total = Number(/^totals: (\d+)$/m.exec(text)?.[1]);
      perCall.set(mark.name, Math.round(total / mark.calls));
    }
    return perCall;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function readRecord(): Record | null {
  try {
    return JSON.parse(readFileSync(recordFile, 'utf8')) as Record;
  } catch {
    return null;
  }
}

/** Why nothing can be compared; `null` = it can. */
function obstacle(record: Record | null, writes: boolean): string | null {
  if (spawnSync('valgrind', ['--version']).status !== 0)
    return 'valgrind is not installed (on Debian: apt-get install valgrind)';
  if (writes) return null;
  if (record === null) return `${recordFile} cannot be read; make it with --write`;
  if (record.node !== process.versions.node || record.processor !== process.arch)
    return `the record is of Node ${record.node} on ${record.processor}, this is ${process.versions.node} on ${process.arch}; renew it with --write`;
  return null;
}

/** Prints a line of TAP for each function. */
function compare(counted: ReadonlyMap<string, number>, record: Record): void {
  let failed = 0;
  for (const [name, now] of counted) {
    const before = record.instructionsPerCall[name];
    const gain = before === undefined ? Infinity : now / before - 1;
    const isGood = gain <= allowedGain;
    if (!isGood) failed++;
    const change =
      before === undefined ? 'not recorded' : `${gain >= 0 ? '+' : ''}${(gain * 100).toFixed(1)} %`;
    console.log(`${isGood ? 'ok' : 'not ok'} - ${name}: ${now} instructions per call, ${change}`);
  }
  console.log(`# counted: ${[...counted].map(([name, now]) => `${name} ${now}`).join(', ')} instructions`);
  if (failed > 0) {
    const share = `${allowedGain * 100} %`;
    console.log(`A hot function needs over ${share} more instructions than recorded: make it cheaper,`);
    console.log('or, where the gain is worth it, record it with --write and say why in docs/performance.md.');
    process.exitCode = 1;
  }
  console.log(`# pass ${counted.size - failed}\n# fail ${failed}\n# skipped 0`);
}

const writes = process.argv.includes('--write');
const record = readRecord();
const reason = obstacle(record, writes);
if (reason !== null) {
  console.log(`ok - instructions of the hot functions # SKIP ${reason}\n# pass 0\n# fail 0\n# skipped 1`);
} else {
  const counted = count();
  if (writes) {
    const renewed: Record = {
      node: process.versions.node,
      processor: process.arch,
      instructionsPerCall: Object.fromEntries(counted),
    };
    writeFileSync(recordFile, `${JSON.stringify(renewed, null, 2)}\n`);
    console.log(`recorded: ${JSON.stringify(renewed.instructionsPerCall)}`);
  } else if (record !== null) compare(counted, record);
}

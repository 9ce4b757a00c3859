/** Compares brokers, each pinned to core 0, the load on core 1. `--help` tells the options, `--list` what can be run. */
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { cpus } from 'node:os';
import process from 'node:process';
import { parseArgs } from 'node:util';
import type { Bench, Contestant, Measurement, RunContext } from './bench.ts';
import { adapters } from './brokers/all.ts';
import { canPin, type BrokerAdapter } from './brokers/broker-adapter.ts';
import { buildTools } from './build.ts';
import { benches, formatCatalogue, groups, scriptBenches, type ScriptBench } from './catalogue.ts';
import { installMissing, prepareRun } from './prepare.ts';
import { formatBench, jsonOfBench, type Result } from './report.ts';

const help = `npm run bench -- [options] [NAME or GROUP]...
  NAME, GROUP      what to run, as --list names it [main]
  --all            everything
  --list           what there is
  --only NAMES     of ${adapters.map(({ name }) => name).join(',')} [all that are installed]
  --rounds N       of each broker, taking turns [3]
  --seconds S      measured in each round, after one second of warm-up [3]
  --json           one line of JSON for each benchmark instead of tables
`;

interface Plan {
  readonly benches: readonly Bench[];
  readonly scripts: readonly ScriptBench[];
  readonly brokers: readonly BrokerAdapter[];
  readonly rounds: number;
  readonly seconds: number;
  readonly json: boolean;
}

class UsageError extends Error {}

/** A string is to be printed instead. */
function readPlan(): Plan | string {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      all: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      only: { type: 'string' },
      rounds: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '3' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return help;
  if (values.list) return `${formatCatalogue()}\n`;
  const wanted = positionals.length === 0 && !values.all ? ['main'] : positionals;
  const scripts = scriptBenches();
  for (const name of wanted) {
    const isKnown = groups.has(name) || [...benches, ...scripts].some((one) => one.name === name);
    if (!isKnown) throw new UsageError(`unknown benchmark or group '${name}'; --list names them`);
  }
  const isWanted = (one: { readonly name: string; readonly group: string }): boolean =>
    values.all || wanted.includes(one.name) || wanted.includes(one.group);
  return {
    benches: benches.filter(isWanted),
    scripts: scripts.filter(isWanted),
    brokers: values.only === undefined ? adapters : brokersNamed(values.only.split(',')),
    rounds: numberIn('--rounds', values.rounds, 1, 1000),
    seconds: numberIn('--seconds', values.seconds, 0.5, 3600),
    json: values.json,
  };
}

function brokersNamed(names: readonly string[]): readonly BrokerAdapter[] {
  return names.map((name) => {
    const found = adapters.find((one) => one.name === name);
    if (found === undefined)
      throw new UsageError(
        `unknown broker '${name}'; known are ${adapters.map((one) => one.name).join(', ')}`,
      );
    return found;
  });
}

function numberIn(option: string, text: string, minimum: number, maximum: number): number {
  const value = Number(text);
  if (!(value >= minimum && value <= maximum))
    throw new UsageError(`${option} ${text} must be a number from ${minimum} to ${maximum}`);
  return value;
}

/** Those of the plan that are there; says why the others are not. */
function installed(brokers: readonly BrokerAdapter[]): readonly BrokerAdapter[] {
  return brokers.filter((broker) => {
    const reason = broker.missing();
    if (reason !== undefined) console.error(`${broker.name} is left out: ${reason}`);
    return reason === undefined;
  });
}

async function runBench(
  bench: Bench,
  contestants: readonly Contestant[],
  context: RunContext,
  plan: Plan,
): Promise<void> {
  const results = contestants.map((contestant) => ({
    contestant,
    label: contestant.label,
    rounds: [] as (Measurement | undefined)[],
  }));
  for (let round = 1; round <= plan.rounds; round++) {
    for (const { contestant, label, rounds } of results) {
      const what = `${bench.name}, ${label}, round ${round} of ${plan.rounds}`;
      rounds.push(await attempt(bench, contestant, context, what));
    }
  }
  const shown: readonly Result[] = results;
  console.log(plan.json ? jsonOfBench(bench, shown) : formatBench(bench, shown));
}

async function attempt(
  bench: Bench,
  contestant: Contestant,
  context: RunContext,
  what: string,
): Promise<Measurement | undefined> {
  try {
    const measured = await bench.measure(contestant, context);
    const { key } = bench.comparison;
    const title = bench.columns.find((column) => column.key === key)?.title ?? key;
    console.error(`${what}: ${measured[key]?.toFixed(2)} ${title}`);
    return measured;
  } catch (error) {
    console.error(`${what} failed: ${reasonOf(error)}`);
    process.exitCode = 1;
    return undefined;
  }
}

/** In one line: a broker that ends tells its error somewhere in what it says last. */
function reasonOf(error: unknown): string {
  const lines = (error instanceof Error ? error.message : String(error)).trim().split('\n');
  return lines.find((line) => /^\w*Error\b.*:|^mqload: |: Error: /.test(line)) ?? lines.at(-1) ?? '';
}

async function runBenches(plan: Plan): Promise<void> {
  installMissing();
  const tools = buildTools();
  if (typeof tools === 'string') {
    console.error(`brokers are not measured: ${tools}`);
    process.exitCode = 1;
    return;
  }
  const brokers = installed(plan.brokers);
  const context = await prepareRun(tools.mqload, plan.seconds);
  try {
    for (const [index, bench] of plan.benches.entries()) {
      const contestants = bench.contestants.filter(
        ({ broker, door }) => brokers.includes(broker) && (tools.hasTls || door !== 'tls'),
      );
      console.error(`[${index + 1}/${plan.benches.length}] ${bench.name}: ${bench.description}`);
      if (contestants.length > 0) await runBench(bench, contestants, context, plan);
      else console.error(`${bench.name} is left out: no broker, or the load generator, can take part`);
    }
  } finally {
    rmSync(context.folder, { recursive: true });
  }
}

function runScript({ name, file }: ScriptBench): void {
  console.error(`${name} …`);
  console.log(`\n### ${name}\n`);
  const { status } = spawnSync(process.execPath, ['--conditions=source', file], { stdio: 'inherit' });
  if (status === 0) return;
  console.error(`${name} failed`);
  process.exitCode = 1;
}

async function main(): Promise<void> {
  const plan = readPlan();
  if (typeof plan === 'string') {
    process.stdout.write(plan);
    return;
  }
  const processors = cpus();
  const place = canPin()
    ? 'broker on core 0, load on core 1'
    : 'not pinned to cores: taskset or a second core is missing';
  console.error(
    `${processors[0]?.model ?? 'unknown processor'}, ${processors.length} cores; ${place}; Node ${process.versions.node}`,
  );
  if (plan.benches.length > 0) await runBenches(plan);
  for (const script of plan.scripts) runScript(script);
}

try {
  await main();
} catch (error) {
  // parseArgs has no class of its own for what it refuses.
  const isUsage = error instanceof UsageError || (error instanceof TypeError && 'code' in error);
  console.error(`bench: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = isUsage ? 2 : 1;
}

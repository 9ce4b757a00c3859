/** Compares brokers under load, each pinned to core 0, the load on core 1. `--help` tells the options. */
import { execFile } from 'node:child_process';
import { createServer, type AddressInfo } from 'node:net';
import { cpus } from 'node:os';
import process from 'node:process';
import { parseArgs, promisify } from 'node:util';
import { aedes } from './brokers/aedes.ts';
import { canPin, pinned, type BrokerAdapter } from './brokers/broker-adapter.ts';
import { davylamp } from './brokers/davylamp.ts';
import { floor } from './brokers/floor.ts';
import { mosquitto } from './brokers/mosquitto.ts';
import { buildTools, type Tools } from './build.ts';
import { formatTable, summarize, type Measurement } from './report.ts';
import { shapes, type Shape } from './shapes.ts';

const adapters: readonly BrokerAdapter[] = [davylamp, mosquitto, aedes, floor];

const help = `npm run bench -- [options]
  --shape NAME     ${shapes.map(({ name }) => name).join(', ')}; several: repeat it [all]
  --only NAMES     of ${adapters.map(({ name }) => name).join(',')} [all that are installed]
  --rounds N       of each broker and shape, taking turns [3]
  --seconds S      measured in each round, after one second of warm-up [5]
  --json           one line of JSON per shape instead of tables
`;

interface Plan {
  readonly shapes: readonly Shape[];
  readonly brokers: readonly BrokerAdapter[];
  readonly rounds: number;
  readonly seconds: number;
  readonly json: boolean;
}

class UsageError extends Error {}

function readPlan(): Plan | undefined {
  const { values } = parseArgs({
    options: {
      shape: { type: 'string', multiple: true },
      only: { type: 'string' },
      rounds: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '5' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  return {
    shapes: values.shape === undefined ? shapes : pick('shape', shapes, values.shape),
    brokers: values.only === undefined ? adapters : pick('broker', adapters, values.only.split(',')),
    rounds: numberIn('--rounds', values.rounds, 1, 1000),
    seconds: numberIn('--seconds', values.seconds, 0.5, 3600),
    json: values.json,
  };
}

function pick<T extends { readonly name: string }>(
  kind: string,
  known: readonly T[],
  names: readonly string[],
): readonly T[] {
  return names.map((name) => {
    const found = known.find((one) => one.name === name);
    if (found === undefined)
      throw new UsageError(`unknown ${kind} '${name}'; known are ${known.map((one) => one.name).join(', ')}`);
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

async function measureOnce(
  tools: Tools,
  broker: BrokerAdapter,
  shape: Shape,
  seconds: number,
): Promise<Measurement> {
  const port = await freePort();
  const running = await broker.start(port);
  try {
    const options = [
      ...shape.options,
      '--seconds',
      String(seconds),
      '--port',
      String(port),
      '--pid',
      String(running.pid),
    ];
    const { stdout } = await promisify(execFile)(...pinned(1, tools.mqload, options));
    return JSON.parse(stdout) as Measurement;
  } finally {
    await running.stop();
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

async function measureShape(
  tools: Tools,
  shape: Shape,
  plan: Plan,
  brokers: readonly BrokerAdapter[],
): Promise<void> {
  const able = brokers.filter(({ maximumQos }) => maximumQos >= shape.qos);
  const results = new Map<string, Measurement[]>(able.map(({ name }) => [name, []]));
  for (let round = 0; round < plan.rounds; round++) {
    for (const broker of able) {
      try {
        results.get(broker.name)?.push(await measureOnce(tools, broker, shape, plan.seconds));
      } catch (error) {
        const reason = error instanceof Error ? error.message.trim().split('\n').at(-1) : String(error);
        console.error(`${broker.name}, ${shape.name}, round ${round + 1} failed: ${reason}`);
        process.exitCode = 1;
      }
    }
  }
  const summaries = [...results]
    .filter(([, all]) => all.length > 0)
    .map(([name, all]) => summarize(name, all));
  if (plan.json)
    console.log(
      JSON.stringify({ shape: shape.name, rounds: plan.rounds, seconds: plan.seconds, results: summaries }),
    );
  else console.log(`\n${shape.name}: ${shape.description}\n${formatTable(summaries)}`);
}

async function main(): Promise<void> {
  const plan = readPlan();
  if (plan === undefined) {
    process.stdout.write(help);
    return;
  }
  const tools = buildTools();
  if (typeof tools === 'string') {
    console.error(`nothing is measured: ${tools}`);
    process.exitCode = 1;
    return;
  }
  const brokers = installed(plan.brokers);
  const processors = cpus();
  const place = canPin()
    ? 'broker on core 0, load on core 1'
    : 'not pinned to cores: taskset or a second core is missing';
  console.error(
    `${processors[0]?.model ?? 'unknown processor'}, ${processors.length} cores; ${place}; Node ${process.versions.node}`,
  );
  for (const shape of plan.shapes) await measureShape(tools, shape, plan, brokers);
}

try {
  await main();
} catch (error) {
  // parseArgs has no class of its own for what it refuses.
  const isUsage = error instanceof UsageError || (error instanceof TypeError && 'code' in error);
  console.error(`bench: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = isUsage ? 2 : 1;
}

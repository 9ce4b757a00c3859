/**
 * Readings from a site's TCP listener to committed rows: site → relay → cloud → ingest → SQLite, the bridges under mutual
 * TLS, each role a process of its own as in `davylamp demo`, with a load in place of the virtual detectors.
 *   node --conditions=source benchmarks/chain.ts [--seconds 10] [--rounds 3] [--rate 0] [--detectors 500]
 * Prints, as medians with minimum and maximum over the rounds: committed rows per second while the load runs and until
 * the last row, CPU seconds per process and CPU microseconds per reading. A rate of 0 is as fast as acknowledgements come.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { parseArgs } from 'node:util';
import { SystemClock, silentLogger } from '#base';
import { LoadDetectors } from '#devices';
import { createDialer } from '#listeners';
import { createPlan, type DemoPlan } from '../src/app/demo/plan.ts';
import { freePorts, portsFrom } from '../src/app/demo/ports.ts';
import { prepareDemo } from '../src/app/demo/prepare.ts';
import { mainModule } from '../src/app/modules.ts';
import { readSecret } from '../src/app/secrets.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '10' },
    rounds: { type: 'string', default: '3' },
    rate: { type: 'string', default: '0' },
    detectors: { type: 'string', default: '500' },
  },
});
const seconds = Number(values.seconds);
const clock = new SystemClock();

interface Round {
  readonly sent: number;
  readonly rows: number;
  readonly rowsPerSecond: number;
  readonly drainSeconds: number;
  readonly cpu: ReadonlyMap<string, number>;
}

const rounds: Round[] = [];
for (let round = 0; round < Number(values.rounds); round++) {
  const result = await runRound();
  rounds.push(result);
  console.log(
    `round ${round + 1}: ${result.sent} sent, ${result.rows} rows, ${Math.round(result.rowsPerSecond)} rows/s, the rest drained in ${result.drainSeconds.toFixed(1)} s`,
  );
}
console.log(
  `\nrows/s ${spread(
    rounds.map((round) => round.rowsPerSecond),
    0,
  )}`,
);
for (const name of rounds[0]?.cpu.keys() ?? []) {
  console.log(
    `${name.padEnd(6)} CPU s ${spread(
      rounds.map((round) => round.cpu.get(name) ?? 0),
      2,
    )}, µs/reading ${spread(
      rounds.map((round) => ((round.cpu.get(name) ?? 0) * 1e6) / round.rows),
      2,
    )}`,
  );
}

async function runRound(): Promise<Round> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'davylamp-chain-'));
  const { ports } = await freePorts(portsFrom(9700, 2), ['north', 'south']);
  const plan = createPlan(folder, ports);
  await prepareDemo(plan, true);
  const roles = new Map<string, ChildProcess>();
  try {
    for (const [name, file] of [
      ['cloud', 'cloud/cloud.toml'],
      ['relay', 'relay/relay.toml'],
      ['site', 'north/site.toml'],
    ] as const) {
      roles.set(name, await startRole(name, path.join(folder, file)));
    }
    return await measure(plan, roles);
  } finally {
    for (const child of roles.values()) child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(plan: DemoPlan, roles: ReadonlyMap<string, ChildProcess>): Promise<Round> {
  const database = new DatabaseSync(path.join(plan.folder, 'cloud', 'store.db'), { readOnly: true });
  const rows = (): number =>
    Number(database.prepare('SELECT COUNT(*) AS n FROM SensorLog').get()?.['n'] ?? 0);
  const load = new LoadDetectors({
    createDialer: () => createDialer({ host: '127.0.0.1', port: plan.ports.sites[0] ?? 0, tls: null, clock }),
    clock,
    log: silentLogger,
    username: 'detector',
    password: await readSecret(path.join(plan.folder, 'north', 'detector.password')),
    detectors: Number(values.detectors),
    connections: 20,
    qos: 1,
    rate: Number(values.rate),
  });
  await load.start();
  const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
  await pause(1500);
  const cpuBefore = new Map([...roles].map(([name, child]) => [name, cpuSeconds(child.pid)]));
  const ownBefore = process.cpuUsage();
  const rowsBefore = rows();
  const start = performance.now();
  await pause(seconds * 1000);
  const rowsWhile = rows() - rowsBefore;
  const elapsed = (performance.now() - start) / 1000;
  load.stop();
  const drainStart = performance.now();
  const { sent } = load.counts;
  let last = -1;
  let lastChange = performance.now();
  while (rows() < sent && performance.now() - lastChange < 5000) {
    const now = rows();
    if (now !== last) {
      last = now;
      lastChange = performance.now();
    }
    await pause(50);
  }
  const drainSeconds = (performance.now() - drainStart) / 1000;
  const cpu = new Map(
    [...roles].map(([name, child]) => [name, cpuSeconds(child.pid) - (cpuBefore.get(name) ?? 0)]),
  );
  const own = process.cpuUsage(ownBefore);
  cpu.set('load', (own.user + own.system) / 1e6);
  const total = rows();
  database.close();
  return { sent, rows: total, rowsPerSecond: rowsWhile / elapsed, drainSeconds, cpu };
}

/** Starts a role and resolves when it says that it is ready. */
function startRole(name: 'cloud' | 'relay' | 'site', file: string): Promise<ChildProcess> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...process.execArgv, mainModule, name, '-c', file], {
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    });
    let text = '';
    child.stderr?.on('data', (chunk: Buffer) => (text = `${text}${chunk.toString()}`.slice(-4000)));
    child.once('message', () => resolve(child));
    child.once('exit', (code) => reject(new Error(`${name} ended with exit code ${code}:\n${text}`)));
  });
}

/** User and system time of a process and its threads so far (Linux). */
function cpuSeconds(pid: number | undefined): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function spread(numbers: readonly number[], digits: number): string {
  const sorted = [...numbers].sort((a, b) => a - b);
  const at = (index: number): string => (sorted[index] ?? 0).toFixed(digits);
  return `${at(Math.floor(sorted.length / 2))} (${at(0)}–${at(sorted.length - 1)})`;
}

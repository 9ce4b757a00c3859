import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import type { Contestant, Measurement, RunContext } from './bench.ts';
import { pinned, type RunningBroker } from './brokers/broker-adapter.ts';

/** A broker that runs, and how the load generator gets to it. */
export interface Target {
  readonly broker: RunningBroker;
  readonly loadOptions: readonly string[];
}

/** Starts the contestant's broker, hands it on, and stops it whatever happens. */
export async function withBroker<T>(
  contestant: Contestant,
  context: RunContext,
  use: (target: Target) => Promise<T>,
): Promise<T> {
  const port = await freePort();
  const { accessRules, door, broker: adapter } = contestant;
  const { certificateFile, keyFile, folder } = context;
  const accessFile = path.join(folder, 'access');
  // For its owner alone, as our broker demands.
  if (accessRules !== undefined) writeFileSync(accessFile, accessRules, { mode: 0o600 });
  const broker = await adapter.start({
    port,
    door,
    certificateFile,
    keyFile,
    ...(accessRules === undefined ? {} : { accessFile }),
  });
  const doorOptions = {
    tcp: [],
    tls: ['--tls', context.authorityFile],
    ws: ['--ws', '/mqtt'],
  };
  const loadOptions = [
    ...contestant.loadOptions,
    ...doorOptions[door],
    '--port',
    String(port),
    '--pid',
    String(broker.pid),
  ];
  try {
    return await use({ broker, loadOptions });
  } finally {
    await broker.stop();
  }
}

/** Runs the load generator on core 1 to its end and reads its last line. */
export async function runLoad(
  context: RunContext,
  target: Target,
  options: readonly string[],
): Promise<Measurement> {
  const all = [...options, ...target.loadOptions, '--seconds', String(context.seconds)];
  const { stdout } = await promisify(execFile)(...pinned(1, context.mqload, all));
  return JSON.parse(stdout) as Measurement;
}

/** Starts the load generator on core 1 and hands on its first line; it is ended after that. */
export async function whileLoadHolds<T>(
  context: RunContext,
  target: Target,
  options: readonly string[],
  use: (first: Measurement) => Promise<T>,
): Promise<T> {
  const all = [...options, ...target.loadOptions, '--seconds', '3600'];
  const child = spawn(...pinned(1, context.mqload, all), { stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
  });
  try {
    return await use(await firstLine(child, exited));
  } finally {
    child.kill('SIGTERM');
    await exited;
  }
}

async function firstLine(child: ChildProcess, exited: Promise<void>): Promise<Measurement> {
  let complaint = '';
  child.stderr?.on('data', (chunk: Buffer) => (complaint += chunk.toString()));
  if (child.stdout === null) throw new Error('the load generator has no output');
  const lines = createInterface({ input: child.stdout });
  const line = await Promise.race([
    new Promise<string>((resolve) => {
      lines.once('line', resolve);
    }),
    exited.then(() => ''),
  ]);
  if (line === '') throw new Error(complaint.trim() || 'the load generator ended without a word');
  return JSON.parse(line) as Measurement;
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

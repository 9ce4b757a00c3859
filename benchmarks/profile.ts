/**
 * Where our own broker's time goes under one kind of load: a CPU profile by part and by function, and what it asks of
 * the system for each message (with `strace`, where that is installed). Prints; keeps the profiles where it is told.
 *   node --conditions=source benchmarks/profile.ts [--shape NAME]... [--seconds S] [--keep FOLDER]
 */
import { execFile, spawn, spawnSync } from 'node:child_process';
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs, promisify } from 'node:util';
import { pinned, startPinned, type RunningBroker } from './brokers/broker-adapter.ts';
import { collectorOptions } from './brokers/davylamp.ts';
import { buildTools } from './build.ts';
import { shapes, type Shape } from './shapes.ts';
import { formatProfile, readProfile } from './profile-report.ts';

const program = path.join(import.meta.dirname, 'brokers', 'davylamp-broker.ts');

/** Those that stand for the others. */
const usual = ['pair-qos0', 'fanin-qos1', 'pair-qos2', 'fanout-qos0', 'single-qos0', 'paced-qos0'];

const { values } = parseArgs({
  options: {
    shape: { type: 'string', multiple: true, default: usual },
    seconds: { type: 'string', default: '4' },
    keep: { type: 'string' },
  },
});

const seconds = Number(values.seconds);

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function startBroker(nodeOptions: readonly string[]): Promise<RunningBroker & { port: number }> {
  const port = await freePort();
  const setup = JSON.stringify({ port, door: 'tcp', certificateFile: '', keyFile: '' });
  const args = [...nodeOptions, ...collectorOptions, '--conditions=source', program, setup];
  return { port, ...(await startPinned({ port, command: process.execPath, args })) };
}

/** Messages that came through: altogether, and within the seconds that are measured. */
async function load(
  mqload: string,
  shape: Shape,
  broker: { port: number },
): Promise<{ all: number; measured: number }> {
  const options = [...shape.options, '--seconds', values.seconds, '--port', String(broker.port)];
  const { stdout } = await promisify(execFile)(...pinned(1, mqload, options));
  const { received, received_per_second: rate } = JSON.parse(stdout) as Record<string, number>;
  return { all: received ?? 0, measured: (rate ?? 0) * seconds };
}

async function profile(mqload: string, shape: Shape, folder: string): Promise<string> {
  const broker = await startBroker(['--cpu-prof', `--cpu-prof-dir=${folder}`, '--cpu-prof-interval=200']);
  let measured = 0;
  try {
    ({ measured } = await load(mqload, shape, broker));
  } finally {
    await broker.stop(); // it writes its profile when it ends
  }
  const [file] = globSync(path.join(folder, '*.cpuprofile'));
  if (file === undefined) throw new Error('the broker wrote no profile');
  return formatProfile(readProfile(readFileSync(file, 'utf8'), seconds), measured);
}

/** A run of its own: watching each system call costs more than the calls. */
async function countSystemCalls(mqload: string, shape: Shape, folder: string): Promise<string> {
  if (spawnSync('strace', ['-V']).status !== 0)
    return 'system calls: not counted, strace is not installed (on Debian: apt-get install strace)';
  const broker = await startBroker([]);
  try {
    const file = path.join(folder, 'calls');
    const watch = spawn('strace', ['-f', '-c', '-o', file, '-p', String(broker.pid)], { stdio: 'ignore' });
    const ended = new Promise((resolve) => watch.once('exit', resolve));
    await delay(500);
    const { all } = await load(mqload, shape, broker);
    watch.kill('SIGINT');
    await ended;
    const calls = [
      ...readFileSync(file, 'utf8').matchAll(/^ +[\d.]+ +[\d.]+ +\d+ +(\d+) +(?:\d+ +)?(\w+)$/gm),
    ]
      .filter(([, , name]) => name !== 'total')
      .map(([, count, name]) => ({ name, perMessage: Number(count) / all }))
      .filter(({ perMessage }) => perMessage >= 0.0005)
      .sort((a, b) => b.perMessage - a.perMessage)
      .map(({ name, perMessage }) => `${name} ${perMessage.toFixed(3)}`);
    return `system calls per message: ${calls.join(', ')}`;
  } finally {
    await broker.stop();
  }
}

const tools = buildTools();
if (typeof tools === 'string') {
  console.error(`nothing is measured: ${tools}`);
  process.exitCode = 1;
} else {
  for (const name of values.shape) {
    const shape = shapes.find((one) => one.name === name);
    if (shape === undefined) {
      console.error(
        `profile: unknown shape '${name}'; known are ${shapes.map((one) => one.name).join(', ')}`,
      );
      process.exitCode = 2;
      break;
    }
    if (values.keep !== undefined) mkdirSync(values.keep, { recursive: true });
    const folder = mkdtempSync(path.join(values.keep ?? tmpdir(), `profile-${name}-`));
    try {
      console.log(`\n${name}: ${shape.description}`);
      console.log(await profile(tools.mqload, shape, folder));
      console.log(await countSystemCalls(tools.mqload, shape, folder));
    } finally {
      if (values.keep === undefined) rmSync(folder, { recursive: true });
    }
  }
}

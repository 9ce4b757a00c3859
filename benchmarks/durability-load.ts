import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { SystemClock, silentLogger } from '#base';
import { Client } from '#client';
import { createDialer } from '#listeners';
import { buildTools } from './build.ts';
import { pinned } from './brokers/broker-adapter.ts';
import { BenchRole, benchToml, freePort, openListener } from './durability-role.ts';

const clock = new SystemClock();

const loads = [
  { name: '20 pairs, pipelined', options: ['--mode', 'pair', '--pubs', '20', '--window', '64'] },
  { name: '100 publishers to 1', options: ['--mode', 'fanin', '--pubs', '100', '--window', '8'] },
  {
    name: '100 publishers to 1, one message at a time each',
    options: ['--mode', 'fanin', '--pubs', '100', '--window', '1'],
  },
  { name: '1 pair, one message at a time', options: ['--mode', 'pair', '--pubs', '1', '--window', '1'] },
  {
    name: '10 pairs, 1,000 messages/s',
    options: ['--mode', 'pair', '--pubs', '10', '--window', '64', '--rate', '1000'],
  },
] as const;

/** What one run gave. */
interface Figures {
  readonly rate: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly cpuUs: number;
  /** Of the journal, with all its own work; 0 = it is off. */
  readonly bytesPerMessage: number;
  readonly messagesPerFlush: number;
}

/**
 * QoS 1 to persistent sessions, 64 bytes, the journal on and off: prints a table in Markdown, medians of the rounds. The
 * broker on core 0, the load on core 1.
 */
export async function measureLoads(rounds: number, seconds: number): Promise<void> {
  const tools = buildTools();
  if (typeof tools === 'string') {
    console.log(`skipped: ${tools}`);
    return;
  }
  console.log(
    '| QoS 1, 64 bytes, persistent sessions | journal | messages/s | p50 ms | p99 ms | CPU µs/message | bytes/message | messages/flush |',
  );
  console.log('|---|---|---|---|---|---|---|---|');
  for (const load of loads) {
    for (const isOn of [true, false]) {
      const all: Figures[] = [];
      for (let round = 0; round < rounds; round++)
        all.push(await measureOne(tools.mqload, load.options, isOn, seconds));
      const of = (pick: (figures: Figures) => number): number => median(all.map(pick));
      const cells = [
        Math.round(of(({ rate }) => rate)).toLocaleString('en'),
        (of(({ p50Us }) => p50Us) / 1000).toFixed(2),
        (of(({ p99Us }) => p99Us) / 1000).toFixed(1),
        of(({ cpuUs }) => cpuUs).toFixed(1),
        isOn ? of(({ bytesPerMessage }) => bytesPerMessage).toFixed(0) : '',
        isOn ? of(({ messagesPerFlush }) => messagesPerFlush).toFixed(1) : '',
      ];
      console.log(`| ${load.name} | ${isOn ? 'on' : 'off'} | ${cells.join(' | ')} |`);
    }
  }
}

async function measureOne(
  mqload: string,
  options: readonly string[],
  isOn: boolean,
  seconds: number,
): Promise<Figures> {
  const folder = mkdtempSync(path.join(process.env['TMPDIR'] ?? os.tmpdir(), 'davylamp-bench-'));
  const port = await freePort();
  const role = await BenchRole.start(folder, benchToml('load', isOn) + openListener(port), 0);
  try {
    const target = ['--port', String(port), '--pid', String(role.pid), '--seconds', String(seconds)];
    const args = [...options, '--qos', '1', '--persistent', '1', ...target];
    const { stdout } = await promisify(execFile)(...pinned(1, mqload, args));
    const told = JSON.parse(stdout) as Record<string, number>;
    const journal = isOn ? await journalOf(port) : { bytes: 0, flushes: 1 };
    const received = told['received'] ?? 0;
    return {
      rate: told['received_per_second'] ?? 0,
      p50Us: told['p50_us'] ?? 0,
      p99Us: told['p99_us'] ?? 0,
      cpuUs: told['cpu_us_per_message'] ?? 0,
      bytesPerMessage: journal.bytes / received,
      messagesPerFlush: received / journal.flushes,
    };
  } finally {
    await role.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What the journal says of itself under `$SYS`, once it has said it after the load. */
async function journalOf(port: number): Promise<{ bytes: number; flushes: number }> {
  const client = new Client({
    dialer: createDialer({ host: '127.0.0.1', port, tls: null, clock }),
    clock,
    log: silentLogger,
    clientId: 'figures',
    version: 5,
    cleanStart: true,
    keepAliveSeconds: 0,
    reconnect: false,
  });
  const said = new Map<string, number>();
  const uptimes = new Set<string>();
  await new Promise<void>((resolve, reject) => {
    client.onMessage = ({ topic, payload }) => {
      const name = topic.slice(topic.lastIndexOf('/') + 1);
      said.set(name, Number(payload.toString()));
      if (name !== 'uptime') return;
      uptimes.add(payload.toString());
      // The retained one, one that may have been under way, and one of behind the load.
      if (uptimes.size === 3) resolve();
    };
    client.connect().then(
      () =>
        client.subscribe([
          { filter: '$SYS/broker/uptime', qos: 0 },
          { filter: '$SYS/broker/davylamp/journal/+', qos: 0 },
        ]),
      reject,
    );
  });
  await client.close();
  return { bytes: said.get('bytes_written') ?? NaN, flushes: said.get('flushes') ?? NaN };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

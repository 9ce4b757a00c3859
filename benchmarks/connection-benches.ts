import { setTimeout as delay } from 'node:timers/promises';
import type { Bench, Column, Contestant, Measurement, RunContext } from './bench.ts';
import { adapters } from './brokers/all.ts';
import type { Door } from './brokers/broker-adapter.ts';
import { davylamp } from './brokers/davylamp.ts';
import { runLoad, whileLoadHolds, withBroker, type Target } from './drive.ts';
import { cpuSecondsOf, memoryOf, openFilesLimit } from './process-figures.ts';

const cpuKey = 'connect_cpu_us';
const memoryKey = 'bytes_per_connection';

function contestants(door: Door): readonly Contestant[] {
  return adapters
    .filter(({ doors }) => doors.includes(door))
    .map((broker) => ({ label: broker.name, broker, door, loadOptions: [] }));
}

// ---- idle -----------------------------------------------------------------------------------------------------------

const idleColumns: readonly Column[] = [
  { key: 'connections', title: 'connections', digits: 0, form: 'median' },
  { key: memoryKey, title: 'bytes/connection', digits: 0, form: 'spread' },
  { key: 'bytes_before_settling', title: 'before settling', digits: 0, form: 'median' },
  { key: 'memory_mib', title: 'process MiB', digits: 1, form: 'median' },
  { key: 'connect_seconds', title: 'connecting s', digits: 2, form: 'median' },
  { key: cpuKey, title: 'CPU µs/connect', digits: 1, form: 'median' },
  { key: 'idle_cpu_percent', title: 'idle CPU %', digits: 2, form: 'median' },
];

/** As many as asked for, or as a process may have sockets. */
const idleConnections = Math.min(20_000, openFilesLimit() - 100);

/** So long that no connection is cut for its silence while it is measured. */
const keepAlive = ['--keep-alive', '3600'];

async function measureIdle(
  options: readonly string[],
  context: RunContext,
  target: Target,
): Promise<Measurement> {
  const { pid } = target.broker;
  await target.broker.settle();
  const before = memoryOf(pid);
  return whileLoadHolds(context, target, ['--mode', 'idle', ...keepAlive, ...options], async (connected) => {
    const full = memoryOf(pid);
    await target.broker.settle();
    const settled = memoryOf(pid);
    const cpu = cpuSecondsOf(pid);
    await delay(context.seconds * 1000);
    return {
      ...connected,
      bytes_before_settling: (full - before) / idleConnections,
      [memoryKey]: (settled - before) / idleConnections,
      memory_mib: settled / 1024 / 1024,
      idle_cpu_percent: ((cpuSecondsOf(pid) - cpu) / context.seconds) * 100,
    };
  });
}

function idleBench(name: string, what: string, door: Door, options: readonly string[]): Bench {
  return {
    name,
    group: 'idle',
    description: `${idleConnections.toLocaleString('en')} idle connections, ${what}`,
    contestants: contestants(door),
    columns: idleColumns,
    comparison: { key: memoryKey, title: 'memory, davylamp ÷ this', of: 'first by other' },
    goals:
      door === 'tls'
        ? []
        : [{ label: davylamp.name, key: memoryKey, atMost: 6000, text: 'bytes of memory for a connection' }],
    measure: (contestant, context) =>
      withBroker(contestant, context, (target) => measureIdle(options, context, target)),
  };
}

const idleBenches: readonly Bench[] = [
  idleBench('idle-plain', 'without a subscription', 'tcp', ['--pubs', String(idleConnections)]),
  idleBench('idle-subscribed', 'each with a subscription of its own', 'tcp', [
    '--pubs',
    '0',
    '--subs',
    String(idleConnections),
  ]),
  idleBench('idle-tls', 'over TLS 1.3', 'tls', ['--pubs', String(idleConnections)]),
];

// ---- storms ---------------------------------------------------------------------------------------------------------

const stormColumns: readonly Column[] = [
  { key: 'connects_per_second', title: 'connects/s', digits: 0, form: 'spread' },
  { key: cpuKey, title: 'CPU µs/connect', digits: 1, form: 'spread' },
  { key: 'load_cpu_us', title: "load's CPU µs", digits: 1, form: 'median' },
  { key: 'p50_us', title: 'p50 µs', digits: 0, form: 'median' },
  { key: 'p99_us', title: 'p99 µs', digits: 0, form: 'median' },
  { key: 'resumed_percent', title: 'resumed %', digits: 0, form: 'median' },
  { key: 'rss_kib', title: 'RSS KiB', digits: 0, form: 'median' },
];

function stormBench(name: string, what: string, door: Door, options: readonly string[]): Bench {
  return {
    name,
    group: 'storm',
    description: `connect, sign in, leave, at once again; 64 at a time, ${what}`,
    contestants: contestants(door),
    columns: stormColumns,
    comparison: { key: cpuKey, title: 'CPU, davylamp ÷ this', of: 'first by other' },
    goals: [],
    measure: (contestant, context) =>
      withBroker(contestant, context, (target) => runLoad(context, target, ['--mode', 'storm', ...options])),
  };
}

const stormBenches: readonly Bench[] = [
  stormBench('storm-tcp', 'plain', 'tcp', []),
  stormBench('storm-ws', 'WebSocket', 'ws', []),
  stormBench('storm-tls-full', 'TLS 1.3, full handshakes', 'tls', ['--tls-version', '1.3']),
  stormBench('storm-tls-ticket', 'TLS 1.3, resumed by ticket', 'tls', [
    '--tls-version',
    '1.3',
    '--resume',
    'ticket',
  ]),
  stormBench('storm-tls12-full', 'TLS 1.2, full handshakes', 'tls', ['--tls-version', '1.2']),
  stormBench('storm-tls12-id', 'TLS 1.2, resumed by session id', 'tls', ['--resume', 'id']),
];

/** What connections cost that are only held, or only made. */
export const connectionBenches: readonly Bench[] = [...idleBenches, ...stormBenches];

import { FaultChain } from './chain.ts';
import { judge } from './judge.ts';
import { Ledger } from './ledger.ts';
import { cpuSecondsOf, memoryOf } from './process-figures.ts';
import { Publishers } from './publishers.ts';
import { storedRows } from './stored-rows.ts';

export interface OutageOptions {
  /** Messages that gather at the site while its uplink is down. */
  readonly messages: number;
  /** Messages a second before, during and behind the outage. */
  readonly liveRate: number;
  readonly say: (line: string) => void;
}

/** Milliseconds from the publisher to a subscriber at the cloud. */
interface Latencies {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly longest: number;
}

export interface OutageReport {
  /** Messages that waited, and seconds until the last of them was at a subscriber of the cloud. */
  readonly waited: number;
  readonly drainSeconds: number;
  /** Of these, and of live ones meanwhile, in messages a second. */
  readonly drainRate: number;
  readonly arrivalRate: number;
  /** Seconds until all of them were rows. */
  readonly storedSeconds: number;
  /** Live messages that were acknowledged meanwhile, in messages a second. */
  readonly takenRate: number;
  /** On a topic that overtakes, and on others, which wait behind what came before them. */
  readonly urgent: Latencies;
  readonly ordinary: Latencies;
  /** CPU seconds of site, relay and cloud (with ingest and database) while the queue drained. */
  readonly cpuSeconds: readonly number[];
  /** Resident memory of the site in bytes: before, with the queue full, and the most ever. */
  readonly siteBytes: { readonly before: number; readonly full: number; readonly peak: number };
  readonly acknowledged: number;
  readonly rows: number;
  /** What broke the promise; empty = it held. */
  readonly broken: readonly string[];
}

const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => void setTimeout(resolve, milliseconds));

const urgentRate = 20;
/** Detectors: those that fill the queue, ordinary live ones, an urgent one. */
const filling = 20;
const live = 10;
const urgentTopic = `outTopic/192.0.2.10/192.168.99.${filling + live + 1}`;

/**
 * An outage of the uplink: so many messages gather at the site, faster than in life, then everything is drained while
 * live traffic goes on. Mutual TLS on the uplink, QoS 1.
 */
export async function runOutage(options: OutageOptions): Promise<OutageReport> {
  const { messages, liveRate, say } = options;
  await using chain = await FaultChain.start({
    qos: 1,
    // The journal's index of what waits takes some 75 bytes a message: more than a site's default allows from two million on.
    siteLines: '[broker]\nmaximum_memory = "640MiB"\n',
    bridgeLines: `urgent_topics = ["${urgentTopic}"]\n`,
  });
  await using ledger = await Ledger.open(chain, 1);
  const times = new Arrivals(ledger);
  const { port } = chain.fieldTarget;
  const common = {
    target: { host: '127.0.0.1', port },
    username: 'detector',
    password: await chain.password('detector'),
    qos: 1,
  } as const;
  const filler = new Publishers({ ...common, detectors: filling, rate: Infinity, most: messages });
  const ordinary = new Publishers({
    ...common,
    detectors: live,
    first: filling,
    rate: liveRate,
    onPublish: times.note,
  });
  const urgent = new Publishers({
    ...common,
    detectors: 1,
    first: filling + live,
    rate: urgentRate,
    onPublish: times.note,
  });
  const all = [filler, ordinary, urgent];
  const pid = chain.site.pid ?? 0;
  const before = memoryOf(pid).resident;

  chain.uplink.cut();
  let began = performance.now();
  await filler.start();
  await until(
    'the queue to fill',
    1800,
    () => filler.sent >= messages && filler.isSettled,
    () => say(`${filler.acknowledged} of ${messages} wait, site ${mib(memoryOf(pid).resident)}`),
  );
  filler.stop();
  const full = memoryOf(pid).resident;
  const fillSeconds = (performance.now() - began) / 1000;
  say(`${filler.acknowledged} messages wait after ${fillSeconds.toFixed(1)} s; site ${mib(full)}`);

  await ordinary.start();
  await urgent.start();
  await pause(1000);
  const rows = storedRows(chain.storeFile);
  const liveBefore = ordinary.acknowledged + urgent.acknowledged;
  const cpuBefore = chain.roles.map((role) => cpuSecondsOf(role.pid ?? 0));
  times.begin();
  began = performance.now();
  chain.uplink.heal();
  const fillers = new Set(filler.detectors.map(({ mac }) => mac));
  await until(
    'the queue to drain',
    1800,
    () => ledger.distinctOf(fillers) >= filler.acknowledged,
    () =>
      say(
        `${ledger.distinctOf(fillers)} of ${filler.acknowledged} arrived, site ${mib(memoryOf(pid).resident)}`,
      ),
  );
  const drainSeconds = (performance.now() - began) / 1000;
  times.end();
  const cpuSeconds = chain.roles.map((role, index) => cpuSecondsOf(role.pid ?? 0) - (cpuBefore[index] ?? 0));
  const taken = ordinary.acknowledged + urgent.acknowledged - liveBefore;
  const arrivals = ledger.distinct;
  await until(
    'rows',
    1800,
    () => rows.count() >= arrivals,
    () => say(`${rows.count()} rows`),
  );
  const storedSeconds = (performance.now() - began) / 1000;
  await pause(1000);
  for (const one of all) one.stop();
  await until('the last acknowledgement', 120, () => all.every(({ isSettled }) => isSettled));
  const acknowledged = all.reduce((sum, one) => sum + one.acknowledged, 0);
  await until('the last row', 120, () => rows.count() >= acknowledged && ledger.distinct >= acknowledged);
  const report = {
    waited: filler.acknowledged,
    drainSeconds,
    drainRate: filler.acknowledged / drainSeconds,
    arrivalRate: arrivals / drainSeconds,
    storedSeconds,
    takenRate: taken / drainSeconds,
    urgent: times.of(urgent),
    ordinary: times.of(ordinary),
    cpuSeconds,
    siteBytes: { before, full, peak: memoryOf(pid).peak },
    acknowledged,
    rows: rows.count(),
    broken: judge(
      all.flatMap(({ detectors }) => detectors),
      ledger,
      rows.all(),
    ),
  };
  rows.close();
  for (const one of all) await one.close();
  return report;
}

/** What a person reads. */
export function outageLines(report: OutageReport): readonly string[] {
  const { siteBytes, urgent, ordinary } = report;
  const latency = ({ count, p50, p99, longest }: Latencies): string =>
    `p50 ${p50.toFixed(0)} ms, p99 ${p99.toFixed(0)} ms, longest ${longest.toFixed(0)} ms (${count} messages)`;
  return [
    `${report.waited} messages drained in ${report.drainSeconds.toFixed(1)} s: ${Math.round(report.drainRate)}/s, rows after ${report.storedSeconds.toFixed(1)} s`,
    `CPU meanwhile: ${report.cpuSeconds.map((cpu) => cpu.toFixed(1)).join(', ')} s of site, relay, cloud`,
    `live messages taken meanwhile: ${Math.round(report.takenRate)}/s`,
    `live, urgent topic: ${latency(urgent)}`,
    `live, ordinary topics, behind all that waited: ${latency(ordinary)}`,
    `site: ${mib(siteBytes.before)} before, ${mib(siteBytes.full)} with the queue full, ${mib(siteBytes.peak)} at the most`,
    `${report.acknowledged} acknowledged, ${report.rows} rows`,
  ];
}

/** How long live messages take that leave while something is measured. */
class Arrivals {
  readonly #sentAt = new Map<string, number[]>();
  readonly #latencies = new Map<string, number[]>();
  #isOn = false;

  constructor(ledger: Ledger) {
    ledger.onFirst = (mac, sequence) => {
      const at = this.#sentAt.get(mac)?.[sequence];
      if (at === undefined) return;
      const latency = performance.now() - at;
      const of = this.#latencies.get(mac);
      if (of === undefined) this.#latencies.set(mac, [latency]);
      else of.push(latency);
    };
  }

  readonly note = (mac: string, sequence: number): void => {
    if (!this.#isOn) return;
    let of = this.#sentAt.get(mac);
    if (of === undefined) this.#sentAt.set(mac, (of = []));
    of[sequence] = performance.now();
  };

  begin(): void {
    this.#isOn = true;
  }

  /** What left before counts when it comes. */
  end(): void {
    this.#isOn = false;
  }

  of({ detectors }: Publishers): Latencies {
    const all = detectors.flatMap(({ mac }) => this.#latencies.get(mac) ?? []).sort((a, b) => a - b);
    const at = (share: number): number => all[Math.floor((all.length - 1) * share)] ?? NaN;
    return { count: all.length, p50: at(0.5), p99: at(0.99), longest: at(1) };
  }
}

async function until(
  what: string,
  seconds: number,
  isThere: () => boolean,
  tell: () => void = () => {},
): Promise<void> {
  const begin = performance.now();
  let told = begin;
  while (!isThere()) {
    const now = performance.now();
    if (now - begin > seconds * 1000) throw new Error(`waited ${seconds} s in vain for ${what}`);
    if (now - told > 5000) {
      tell();
      told = now;
    }
    await pause(100);
  }
}

function mib(bytes: number): string {
  return `${Math.round(bytes / 1024 / 1024)} MiB`;
}

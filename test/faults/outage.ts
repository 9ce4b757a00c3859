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
  readonly drainRate: number;
  /** Seconds until all of them were rows. */
  readonly storedSeconds: number;
  /** Live messages that were acknowledged meanwhile, in messages a second. */
  readonly takenRate: number;
  /** Urgent messages that left when the uplink was back and came before the last of those that waited. */
  readonly overtook: number;
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
/** That anything may take. */
const mostSeconds = 1800;
/** Detectors: those that fill the queue, ordinary live ones, an urgent one. */
const filling = 20;
const live = 10;
const urgentTopic = `outTopic/192.0.2.10/192.168.99.${filling + live + 1}`;

/**
 * An outage of the uplink: so many messages gather at the site, faster than in life, then everything is drained while
 * live traffic goes on. Mutual TLS on the uplink, QoS 1.
 */
export async function runOutage(options: OutageOptions): Promise<OutageReport> {
  await using chain = await FaultChain.start({
    qos: 1,
    // The journal's index of what waits takes some 75 bytes a message: more than a site's default allows from two million on.
    siteTables: { broker: 'maximum_memory = "1GiB"' },
    bridgeLines: `urgent_topics = ["${urgentTopic}"]\n`,
  });
  await using ledger = await Ledger.open(chain, 1);
  const outage = new Outage(chain, ledger, await chain.password('detector'), options);
  try {
    const { before, full } = await outage.fill();
    const drained = await outage.drain();
    const end = await outage.finish();
    const { peak } = memoryOf(chain.site.pid ?? 0);
    return { ...drained, ...end, siteBytes: { before, full, peak } };
  } finally {
    await outage.close();
  }
}

type Drained = Pick<
  OutageReport,
  'waited' | 'overtook' | 'drainSeconds' | 'drainRate' | 'takenRate' | 'storedSeconds' | 'cpuSeconds'
>;
type End = Pick<OutageReport, 'urgent' | 'ordinary' | 'acknowledged' | 'rows' | 'broken'>;

class Outage {
  readonly #chain: FaultChain;
  readonly #ledger: Ledger;
  readonly #options: OutageOptions;
  readonly #times: Arrivals;
  readonly #filler: Publishers;
  readonly #ordinary: Publishers;
  readonly #urgent: Publishers;
  readonly #rows: ReturnType<typeof storedRows>;

  constructor(chain: FaultChain, ledger: Ledger, password: string, options: OutageOptions) {
    this.#chain = chain;
    this.#ledger = ledger;
    this.#options = options;
    this.#rows = storedRows(chain.storeFile);
    this.#times = new Arrivals(ledger);
    const common = { target: chain.fieldTarget, username: 'detector', password, qos: 1 } as const;
    const living = { ...common, onPublish: this.#times.note };
    const { messages, liveRate } = options;
    this.#filler = new Publishers({ ...common, detectors: filling, rate: Infinity, most: messages });
    this.#ordinary = new Publishers({ ...living, detectors: live, first: filling, rate: liveRate });
    this.#urgent = new Publishers({ ...living, detectors: 1, first: filling + live, rate: urgentRate });
  }

  get #all(): readonly Publishers[] {
    return [this.#filler, this.#ordinary, this.#urgent];
  }

  get #siteBytes(): number {
    return memoryOf(this.#chain.site.pid ?? 0).resident;
  }

  /** Messages whose uplink is cut. Memory of the site before and then. */
  async fill(): Promise<{ readonly before: number; readonly full: number }> {
    const { messages, say } = this.#options;
    const filler = this.#filler;
    const before = this.#siteBytes;
    const began = performance.now();
    this.#chain.uplink.cut();
    await filler.start();
    await until(
      'the queue to fill',
      () => filler.sent >= messages && filler.isSettled,
      () => say(`${filler.acknowledged} of ${messages} wait, site ${mib(this.#siteBytes)}`),
    );
    filler.stop();
    const full = this.#siteBytes;
    const seconds = (performance.now() - began) / 1000;
    say(`${filler.acknowledged} messages wait after ${seconds.toFixed(1)} s; site ${mib(full)}`);
    return { before, full };
  }

  /** The uplink is back, until all that waited is stored. */
  async drain(): Promise<Drained> {
    const [chain, ledger, rows] = [this.#chain, this.#ledger, this.#rows];
    await this.#ordinary.start();
    await this.#urgent.start();
    await pause(1000);
    const taken = (): number => this.#ordinary.acknowledged + this.#urgent.acknowledged;
    const takenBefore = taken();
    const cpu = (): number[] => chain.roles.map((role) => cpuSecondsOf(role.pid ?? 0));
    const cpuBefore = cpu();
    const waited = this.#filler.acknowledged;
    const macs = new Set(this.#filler.detectors.map(({ mac }) => mac));
    this.#times.begin();
    const began = performance.now();
    chain.uplink.heal();
    await until(
      'the queue to drain',
      () => ledger.distinctOf(macs) >= waited,
      () =>
        this.#options.say(`${ledger.distinctOf(macs)} of ${waited} arrived, site ${mib(this.#siteBytes)}`),
    );
    const drainSeconds = (performance.now() - began) / 1000;
    this.#times.end();
    const overtook = this.#times.of(this.#urgent).count;
    const cpuSeconds = cpu().map((seconds, index) => seconds - (cpuBefore[index] ?? 0));
    const takenRate = (taken() - takenBefore) / drainSeconds;
    const arrived = ledger.distinct;
    await until('rows', () => rows.count() >= arrived);
    const storedSeconds = (performance.now() - began) / 1000;
    return {
      waited,
      overtook,
      drainSeconds,
      drainRate: waited / drainSeconds,
      takenRate,
      storedSeconds,
      cpuSeconds,
    };
  }

  /** Nothing new is published; waits for what is under way and compares. */
  async finish(): Promise<End> {
    const [ledger, rows, all] = [this.#ledger, this.#rows, this.#all];
    for (const one of all) one.stop();
    await until('the last acknowledgement', () => all.every(({ isSettled }) => isSettled));
    const acknowledged = all.reduce((sum, one) => sum + one.acknowledged, 0);
    await until('the last row', () => rows.count() >= acknowledged && ledger.distinct >= acknowledged);
    return {
      urgent: this.#times.of(this.#urgent),
      ordinary: this.#times.of(this.#ordinary),
      acknowledged,
      rows: rows.count(),
      broken: judge(
        all.flatMap(({ detectors }) => detectors),
        ledger,
        rows.all(),
      ),
    };
  }

  async close(): Promise<void> {
    this.#rows.close();
    for (const one of this.#all) await one.close();
  }
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

async function until(what: string, isThere: () => boolean, tell: () => void = () => {}): Promise<void> {
  const begin = performance.now();
  let told = begin;
  while (!isThere()) {
    const now = performance.now();
    if (now - begin > mostSeconds * 1000) throw new Error(`waited ${mostSeconds} s in vain for ${what}`);
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

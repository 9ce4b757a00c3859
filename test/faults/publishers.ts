import { SystemClock, silentLogger } from '#base';
import { Client } from '#client';
import { legacyReadingText, reversedMac } from '#devices';
import { createDialer } from '#listeners';
import { SequenceCounts } from './sequence-counts.ts';

const clock = new SystemClock();

export interface PublishersOptions {
  /** Where the site is. */
  readonly target: { readonly host: string; readonly port: number };
  readonly username: string;
  readonly password: string;
  readonly detectors: number;
  readonly qos: 1 | 2;
  /** Messages a second of all detectors together; `Infinity` = as fast as acknowledgements come. */
  readonly rate: number;
  /** Number of the first detector, where several groups publish; default 0. */
  readonly first?: number;
  /** So many messages and no more; default: no bound. */
  readonly most?: number;
  /** Called right before a message is handed to its client. */
  readonly onPublish?: (mac: string, sequence: number) => void;
}

/** One that publishes, and what became of it. */
export interface Detector {
  readonly client: Client;
  readonly topic: string;
  readonly ip: string;
  /** As rows have it. */
  readonly mac: string;
  sent: number;
  /** Sequence numbers whose acknowledgement has come. */
  readonly acknowledged: SequenceCounts;
}

const tickMs = 10;
const mostLateMs = 1000;
/** A real detector has little memory: what it cannot send it does not measure. */
const mostUnderWay = 500;

/** Detectors that note what was acknowledged. Each has a session of its own, which it resumes after a cut. */
export class Publishers {
  readonly detectors: readonly Detector[];
  readonly #options: PublishersOptions;
  #timer: NodeJS.Timeout | undefined;
  #due = 0;
  #tickedAt = 0;
  #left: number;
  #next = 0;
  /** Refusals, by reason code. */
  readonly refused = new Map<number, number>();

  constructor(options: PublishersOptions) {
    this.#options = options;
    const { detectors, first = 0, most = Infinity } = options;
    this.#left = most;
    this.detectors = Array.from({ length: detectors }, (_, index) => createDetector(options, first + index));
  }

  get acknowledged(): number {
    return this.detectors.reduce((sum, { acknowledged }) => sum + acknowledged.size, 0);
  }

  get sent(): number {
    return this.detectors.reduce((sum, { sent }) => sum + sent, 0);
  }

  async start(): Promise<void> {
    await Promise.all(this.detectors.map(({ client }) => client.connect()));
    this.#tickedAt = performance.now();
    this.#timer = setInterval(() => this.#tick(), tickMs);
  }

  /** Publishes nothing new; what is under way goes on. */
  stop(): void {
    clearInterval(this.#timer);
  }

  /** Everything that was sent is answered. */
  get isSettled(): boolean {
    return this.detectors.every(({ client }) => client.inflight === 0);
  }

  async close(): Promise<void> {
    this.stop();
    await Promise.all(this.detectors.map(({ client }) => client.close()));
  }

  #tick(): void {
    const { rate } = this.#options;
    if (rate === Infinity) {
      for (const detector of this.detectors)
        while (this.#left > 0 && detector.client.inflight <= mostUnderWay) this.#publish(detector);
      return;
    }
    const now = performance.now();
    // A late tick makes up for what it missed, but not for a machine that stood still.
    this.#due += (rate * Math.min(now - this.#tickedAt, mostLateMs)) / 1000;
    this.#tickedAt = now;
    for (; this.#due >= 1; this.#due--) {
      const detector = this.detectors[this.#next];
      this.#next = (this.#next + 1) % this.detectors.length;
      if (detector !== undefined) this.#publish(detector);
    }
  }

  #publish(detector: Detector): void {
    if (this.#left === 0 || detector.client.inflight > mostUnderWay) return;
    this.#left--;
    const sequence = ++detector.sent;
    this.#options.onPublish?.(detector.mac, sequence);
    const text = legacyReadingText({
      sequence,
      sensorType: 'Gas',
      ip: detector.ip,
      macSent: detector.mac,
      value: 0,
      requested: false,
    });
    detector.client.publish(detector.topic, text, { qos: this.#options.qos }).then(
      ({ reasonCode }) => {
        if (reasonCode < 0x80) detector.acknowledged.add(sequence);
        else this.refused.set(reasonCode, (this.refused.get(reasonCode) ?? 0) + 1);
      },
      () => {},
    );
  }
}

function createDetector(options: PublishersOptions, index: number): Detector {
  const hex = index.toString(16).toUpperCase().padStart(2, '0');
  const mac = reversedMac(`5C:CF:7F:99:00:${hex}`);
  const ip = `192.168.99.${index + 1}`;
  const client = new Client({
    dialer: createDialer({ ...options.target, tls: null, clock }),
    clock,
    log: silentLogger,
    clientId: `fault-detector-${index}`,
    version: 4,
    cleanStart: false,
    keepAliveSeconds: 5,
    username: options.username,
    password: options.password,
    reconnect: { minimumMs: 100, maximumMs: 1000 },
    maximumQueuedMessages: 1000,
  });
  return { client, topic: `outTopic/192.0.2.10/${ip}`, ip, mac, sent: 0, acknowledged: new SequenceCounts() };
}

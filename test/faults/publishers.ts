import { SystemClock, silentLogger } from '#base';
import { Client } from '#client';
import { legacyReadingText, reversedMac } from '#devices';
import { createDialer } from '#listeners';

const clock = new SystemClock();

export interface PublishersOptions {
  readonly port: number;
  readonly username: string;
  readonly password: string;
  readonly detectors: number;
  readonly qos: 1 | 2;
  /** Messages a second of all detectors together. */
  readonly rate: number;
}

interface Detector {
  readonly client: Client;
  readonly topic: string;
  readonly ip: string;
  /** As rows have it. */
  readonly mac: string;
  sent: number;
  /** Sequence numbers whose acknowledgement has come. */
  readonly acknowledged: Set<number>;
}

const tickMs = 10;

/** Detectors that note what was acknowledged. Each has a session of its own, which it resumes after a cut. */
export class Publishers {
  readonly detectors: readonly Detector[];
  readonly #options: PublishersOptions;
  #timer: NodeJS.Timeout | undefined;
  #due = 0;
  #next = 0;
  /** Refusals, by reason code. */
  readonly refused = new Map<number, number>();

  constructor(options: PublishersOptions) {
    this.#options = options;
    this.detectors = Array.from({ length: options.detectors }, (_, index) => createDetector(options, index));
  }

  get acknowledged(): number {
    return this.detectors.reduce((sum, { acknowledged }) => sum + acknowledged.size, 0);
  }

  get sent(): number {
    return this.detectors.reduce((sum, { sent }) => sum + sent, 0);
  }

  async start(): Promise<void> {
    await Promise.all(this.detectors.map(({ client }) => client.connect()));
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
    this.#due += (this.#options.rate * tickMs) / 1000;
    for (; this.#due >= 1; this.#due--) {
      const detector = this.detectors[this.#next];
      this.#next = (this.#next + 1) % this.detectors.length;
      if (detector !== undefined) this.#publish(detector);
    }
  }

  #publish(detector: Detector): void {
    // A real detector has little memory: what it cannot send it does not measure.
    if (detector.client.inflight > 500) return;
    const sequence = ++detector.sent;
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
    dialer: createDialer({ host: '127.0.0.1', port: options.port, tls: null, clock }),
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
  return { client, topic: `outTopic/192.0.2.10/${ip}`, ip, mac, sent: 0, acknowledged: new Set() };
}

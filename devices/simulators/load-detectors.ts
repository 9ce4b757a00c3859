import { DavylampError, type Clock, type Dialer, type Logger, type Timer } from '#base';
import { Client } from '#client';
import { legacyOutTopic, legacyReadingText, reversedMac } from './legacy-texts.ts';

export interface LoadDetectorsOptions {
  readonly createDialer: (connection: number) => Dialer;
  readonly clock: Clock;
  readonly log: Logger;
  readonly username?: string;
  readonly password?: Buffer | string;
  /** At most 16,777,216: each has a MAC and an address of its own. */
  readonly detectors: number;
  /** Over how many connections they share out. */
  readonly connections: number;
  readonly qos: 0 | 1;
  /** Readings per second of all together; 0 = as fast as the broker takes them. */
  readonly rate: number;
  /** QoS 1: unacknowledged readings per connection; 100 unless said. */
  readonly window?: number;
  /** `23.17.224.11` unless said. */
  readonly siteAddress?: string;
  /** Begins client ids; `davylamp-load` unless said. */
  readonly clientIdPrefix?: string;
}

export interface LoadCounts {
  /** Readings handed to a connection. */
  readonly sent: number;
  /** Readings that the broker has answered (QoS 1) or that were handed over (QoS 0). */
  readonly acknowledged: number;
  /** Readings that were due at the rate asked for, and left out because a connection was full. */
  readonly skipped: number;
  /** Refused by the broker. */
  readonly refused: number;
}

interface VirtualDetector {
  readonly topic: string;
  readonly ip: string;
  readonly macSent: string;
  sequence: number;
}

interface Connection {
  readonly client: Client;
  readonly detectors: readonly VirtualDetector[];
  next: number;
  sent: number;
}

const maximumDetectors = 2 ** 24;
/** With a rate: how often what is due is handed over. */
const tickMs = 10;
/** Without: readings per connection and turn, so that one connection does not keep the others waiting. */
const burst = 256;
/** Flat out at QoS 0: how soon a connection is filled again. */
const refillMs = 1;

/** Many legacy detectors' readings at once, for benchmarks and long runs. All detectors of a connection take turns. */
export class LoadDetectors {
  readonly #options: LoadDetectorsOptions;
  readonly #window: number;
  readonly #connections: Connection[] = [];
  readonly #stopped = new AbortController();
  #timer: Timer | undefined;
  #running = false;
  #skipped = 0;
  /** Rate: fraction of a reading that is owed, and since when. */
  #owed = 0;
  #lastTick = 0;
  #turn = 0;

  /** Throws USAGE for numbers that make no load. */
  constructor(options: LoadDetectorsOptions) {
    const { detectors, connections, rate } = options;
    if (!(Number.isInteger(detectors) && detectors >= 1 && detectors <= maximumDetectors)) {
      throw new DavylampError(
        'USAGE',
        `load: ${detectors} detectors is not a whole number from 1 to ${maximumDetectors}`,
      );
    }
    if (!(Number.isInteger(connections) && connections >= 1 && connections <= detectors)) {
      throw new DavylampError(
        'USAGE',
        `load: ${connections} connections is not a whole number from 1 to the number of detectors, ${detectors}`,
      );
    }
    if (!(rate >= 0 && Number.isFinite(rate)))
      throw new DavylampError('USAGE', `load: rate ${rate} must be 0 or more readings per second`);
    this.#options = options;
    this.#window = options.window ?? 100;
  }

  get counts(): LoadCounts {
    let sent = 0;
    let waiting = 0;
    let refused = 0;
    for (const { client, sent: own } of this.#connections) {
      sent += own;
      waiting += client.inflight;
      refused += client.statistics.refused;
    }
    return { sent, acknowledged: sent - waiting, skipped: this.#skipped, refused };
  }

  /** Connects all, then begins. Rejects as a client's `connect` does. */
  async start(): Promise<void> {
    const { detectors, connections, siteAddress = '23.17.224.11' } = this.#options;
    for (let index = 0; index < connections; index++) {
      const own: VirtualDetector[] = [];
      for (let n = index; n < detectors; n += connections) own.push(createDetector(n, siteAddress));
      this.#connections.push({ client: this.#createClient(index), detectors: own, next: 0, sent: 0 });
    }
    await Promise.all(this.#connections.map(({ client }) => client.connect(this.#stopped.signal)));
    this.#begin();
  }

  /** Sends nothing more; what is under way may still be acknowledged. */
  stop(): void {
    this.#running = false;
    this.#timer?.cancel();
  }

  async close(): Promise<void> {
    this.stop();
    this.#stopped.abort(new Error('the load is stopped'));
    await Promise.all(this.#connections.map(({ client }) => client.close()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #createClient(index: number): Client {
    const { createDialer, clock, log, username, password, clientIdPrefix = 'davylamp-load' } = this.#options;
    return new Client({
      dialer: createDialer(index),
      clock,
      log,
      clientId: `${clientIdPrefix}-${index}`,
      version: 4,
      cleanStart: true,
      keepAliveSeconds: 60,
      reconnect: false,
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
    });
  }

  #begin(): void {
    const { clock, rate } = this.#options;
    this.#running = true;
    this.#lastTick = clock.monotonic();
    if (rate > 0) {
      this.#timer = clock.every(tickMs, () => this.#sendDue());
      return;
    }
    this.#fillAll();
    this.#timer = clock.every(refillMs, () => this.#fillAll());
  }

  #sendDue(): void {
    const now = this.#options.clock.monotonic();
    this.#owed += ((now - this.#lastTick) / 1000) * this.#options.rate;
    this.#lastTick = now;
    for (; this.#owed >= 1; this.#owed--) {
      const connection = this.#connections[this.#turn++ % this.#connections.length];
      if (connection === undefined || !this.#sendOne(connection)) this.#skipped++;
    }
  }

  #fillAll(): void {
    if (!this.#running) return;
    for (const connection of this.#connections) {
      for (let n = 0; n < burst && this.#sendOne(connection); n++);
    }
  }

  #sendOne(connection: Connection): boolean {
    const { client, detectors } = connection;
    const { qos } = this.#options;
    const detector = detectors[connection.next];
    if (detector === undefined || (qos === 1 && client.inflight >= this.#window)) return false;
    const text = legacyReadingText({
      sequence: detector.sequence + 1,
      sensorType: 'Gas',
      ip: detector.ip,
      macSent: detector.macSent,
      value: 0,
      requested: false,
    });
    if (!client.publishQuietly(detector.topic, Buffer.from(text, 'latin1'), qos)) return false;
    detector.sequence++;
    connection.sent++;
    connection.next = (connection.next + 1) % detectors.length;
    return true;
  }
}

/** The n-th detector: address 10.x.y.z, MAC of Espressif's prefix. */
function createDetector(n: number, siteAddress: string): VirtualDetector {
  const bytes = [(n >> 16) & 255, (n >> 8) & 255, n & 255];
  const ip = `10.${bytes.join('.')}`;
  const mac = [
    '5C',
    'CF',
    '7F',
    ...bytes.map((byte) => byte.toString(16).padStart(2, '0').toUpperCase()),
  ].join(':');
  return { topic: legacyOutTopic(siteAddress, ip), ip, macSent: reversedMac(mac), sequence: 0 };
}

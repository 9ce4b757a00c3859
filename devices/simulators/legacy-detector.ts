import { messageOf, type Clock, type Dialer, type Logger, type Timer } from '#base';
import { Client, type ReceivedMessage } from '#client';
import {
  legacyHelloText,
  legacyInTopic,
  legacyOutTopic,
  legacyReadingText,
  parseLegacyCommand,
  reversedMac,
} from './legacy-texts.ts';

/** The client id that all detectors of this firmware share. */
export const legacyClientId = 'ESP8266Client';

const defaultIntervalSeconds = 2;
const reconnectMs = 5000;
const keepAliveSeconds = 15;

export interface LegacyDetectorOptions {
  readonly dialer: Dialer;
  readonly clock: Clock;
  readonly log: Logger;
  /** Unless said, the one that all of them share. */
  readonly clientId?: string;
  readonly username?: string;
  readonly password?: Buffer | string;
  readonly siteAddress: string;
  readonly deviceAddress: string;
  /** The true MAC, with colons. */
  readonly mac: string;
  /** `Gas` unless said. */
  readonly sensorType?: string;
  /** The digital input, asked at each reading. */
  readonly readPin: () => 0 | 1;
  /**
   * A hello is a boot announcement: `restart` (unless said) begins the count anew with each one. Firmware that only
   * lost its connection may go on counting: `continue`.
   */
  readonly sequenceAfterReconnect?: 'restart' | 'continue';
}

export interface LegacyDetectorStatistics {
  connects: number;
  /** Readings handed to the connection, answers to `Request` included. */
  readings: number;
  requested: number;
  /** Readings that the connection could not take. */
  dropped: number;
  /** Commands that the firmware does not know. */
  ignoredCommands: number;
}

/**
 * A detector with the legacy firmware, to the letter: MQTT 3.1.1, QoS 0, a clean session, keep-alive 15 s, a hello at
 * each connection, then readings of its digital input every 2 s until `Sleep<n>-` says otherwise; `Request` is answered
 * at once. It tries again every 5 s, and knows nothing beyond its broker.
 */
export class LegacyDetector {
  readonly statistics: LegacyDetectorStatistics = {
    connects: 0,
    readings: 0,
    requested: 0,
    dropped: 0,
    ignoredCommands: 0,
  };
  readonly #options: LegacyDetectorOptions;
  readonly #sensorType: string;
  readonly #macSent: string;
  readonly #outTopic: string;
  readonly #inTopic: string;
  #client: Client | undefined;
  #connected = false;
  #closed = false;
  /** Aborts a try to connect that is under way. */
  #attempt: AbortController | undefined;
  #timer: Timer | undefined;
  #sequence = 0;
  #intervalMs = defaultIntervalSeconds * 1000;
  /** Monotonic time of the last regular reading; `-Infinity` = none yet. */
  #lastReading = -Infinity;
  #reportedLost = false;

  constructor(options: LegacyDetectorOptions) {
    this.#options = options;
    this.#sensorType = options.sensorType ?? 'Gas';
    this.#macSent = reversedMac(options.mac);
    this.#outTopic = legacyOutTopic(options.siteAddress, options.deviceAddress);
    this.#inTopic = legacyInTopic(options.siteAddress, options.deviceAddress);
  }

  /** Sequence number of the last reading; 0 = none since the boot. */
  get sequence(): number {
    return this.#sequence;
  }

  get connected(): boolean {
    return this.#connected;
  }

  get intervalSeconds(): number {
    return this.#intervalMs / 1000;
  }

  /** Switches the detector on. It goes on trying until `close`. */
  start(): void {
    this.#closed = false;
    this.#sequence = 0;
    this.#intervalMs = defaultIntervalSeconds * 1000;
    this.#tryToConnect();
  }

  /** Switches the detector off. It keeps nothing: `start` is a boot. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    this.#attempt?.abort(new Error('the detector is switched off'));
    const client = this.#client;
    this.#client = undefined;
    this.#connected = false;
    await client?.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #tryToConnect(): void {
    this.#connect().catch((error: unknown) => {
      this.#options.log.error(`detector failed: ${messageOf(error)}`);
    });
  }

  async #connect(): Promise<void> {
    const { dialer, clock, log, username, password, clientId = legacyClientId } = this.#options;
    const client = new Client({
      dialer,
      clock,
      log,
      clientId,
      version: 4,
      cleanStart: true,
      keepAliveSeconds,
      reconnect: false,
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
    });
    const attempt = new AbortController();
    this.#client = client;
    this.#attempt = attempt;
    client.onMessage = (message) => this.#onMessage(message);
    client.onState = (state, detail) => {
      if (state === 'closed') this.#onEnd(client, detail ?? 'the broker ended the connection');
    };
    try {
      await client.connect(attempt.signal);
      if (this.#client !== client) return;
      this.#onConnected(client);
      await client.subscribe([{ filter: this.#inTopic, qos: 0 }]);
    } catch (error) {
      this.#onEnd(client, messageOf(error));
    }
  }

  #onConnected(client: Client): void {
    this.#connected = true;
    this.statistics.connects++;
    if (this.#options.sequenceAfterReconnect !== 'continue') this.#sequence = 0;
    this.#options.log.info(this.#reportedLost ? 'detector is back' : 'detector connected', {
      topic: this.#outTopic,
    });
    this.#reportedLost = false;
    client.publishQuietly(this.#outTopic, Buffer.from(legacyHelloText(this.#sensorType), 'latin1'), 0);
    this.#lastReading = -Infinity;
    this.#onReadingDue();
  }

  /** The connection is gone, or never came to be. Heard once for each. */
  #onEnd(client: Client, detail: string): void {
    if (this.#client !== client) return;
    this.#client = undefined;
    this.#connected = false;
    this.#timer?.cancel();
    if (this.#closed) return;
    const { clock, log, dialer } = this.#options;
    if (!this.#reportedLost) {
      log.warning(`detector has no broker (${detail}); it tries again every ${reconnectMs / 1000} s`, {
        broker: dialer.target,
        topic: this.#outTopic,
      });
    }
    this.#reportedLost = true;
    // The broken client may still hold its transport, when it was the subscription that failed.
    client.close().catch(() => {});
    this.#timer = clock.after(reconnectMs, () => this.#tryToConnect());
  }

  #onMessage(message: ReceivedMessage): void {
    const command =
      message.topic === this.#inTopic ? parseLegacyCommand(message.payload.toString('latin1')) : undefined;
    if (command === undefined) {
      this.statistics.ignoredCommands++;
      return;
    }
    if (command.kind === 'request') {
      this.statistics.requested++;
      this.#publishReading('requested');
      return;
    }
    this.#intervalMs = Math.max(1, command.seconds * 1000);
    this.#schedule();
  }

  #onReadingDue(): void {
    const now = this.#options.clock.monotonic();
    const due = this.#lastReading + this.#intervalMs;
    // Counted from when it was due, so that late timers do not add up; from now after a longer pause.
    this.#lastReading = now - due < this.#intervalMs ? due : now;
    this.#publishReading('regular');
    this.#schedule();
  }

  #schedule(): void {
    this.#timer?.cancel();
    if (!this.#connected) return;
    const { clock } = this.#options;
    const wait = Math.max(0, this.#lastReading + this.#intervalMs - clock.monotonic());
    this.#timer = clock.after(wait, () => this.#onReadingDue());
  }

  #publishReading(kind: 'regular' | 'requested'): void {
    const client = this.#client;
    if (client === undefined || !this.#connected) return;
    const text = legacyReadingText({
      sequence: ++this.#sequence,
      sensorType: this.#sensorType,
      ip: this.#options.deviceAddress,
      macSent: this.#macSent,
      value: this.#options.readPin(),
      requested: kind === 'requested',
    });
    if (client.publishQuietly(this.#outTopic, Buffer.from(text, 'latin1'), 0)) this.statistics.readings++;
    else this.statistics.dropped++;
  }
}

import type { ServerResponse } from 'node:http';
import { messageOf, type Clock, type Logger, type Timer } from '#base';
import { Problem } from '../problem.ts';
import type { LiveEvent, PlatformPort } from '../types.ts';
import { LiveStream } from './live-stream.ts';
import { PendingChanges } from './pending-changes.ts';

/** Streams at once. A screen holds one. */
const maximumStreams = 64;

const flushMs = 100;
const heartbeatMs = 15_000;
const snapshotAlarms = 1_000;

/** What the feed has done, for the status. */
export interface LiveCounts {
  readonly streams: number;
  /** Streams refused because there were too many. */
  readonly refused: number;
  /** Streams cut because the client did not read. */
  readonly cut: number;
  /** Readings that gave way to younger ones before they were sent. */
  readonly droppedReadings: number;
}

interface LiveFeedOptions {
  readonly platform: PlatformPort;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Sends every change of the platform to every stream. Changes are gathered and leave together at most ten times a
 * second, encoded once for all; alarms leave at once. The platform is listened to only while somebody looks.
 */
export class LiveFeed {
  readonly #options: LiveFeedOptions;
  readonly #streams = new Set<LiveStream>();
  readonly #pending = new PendingChanges();
  #flush: Timer | undefined;
  #heartbeat: Timer | undefined;
  #unlisten: (() => void) | undefined;
  #refused = 0;
  #cut = 0;

  constructor(options: LiveFeedOptions) {
    this.#options = options;
  }

  counts(): LiveCounts {
    return {
      streams: this.#streams.size,
      refused: this.#refused,
      cut: this.#cut,
      droppedReadings: this.#pending.dropped,
    };
  }

  /** Makes a stream of a response. Throws `TOO_MANY_STREAMS` at the bound. */
  open(response: ServerResponse): void {
    if (this.#streams.size >= maximumStreams) {
      this.#refused++;
      throw new Problem(
        'TOO_MANY_STREAMS',
        `${maximumStreams} live streams are open; close one and try again`,
      );
    }
    // The snapshot first: when it fails, nothing has been begun. Both are synchronous, so no change falls between.
    const snapshot = this.#snapshot();
    const stream = new LiveStream(response);
    response.on('error', () => {});
    response.on('close', () => this.#remove(stream));
    this.#streams.add(stream);
    if (this.#streams.size === 1) this.#begin();
    stream.start(snapshot);
  }

  close(): void {
    for (const stream of this.#streams) stream.end();
    this.#streams.clear();
    this.#rest();
  }

  #begin(): void {
    const { platform, clock } = this.#options;
    this.#unlisten = platform.listen((event) => this.#onEvent(event));
    const comment = Buffer.from(': heartbeat\n\n');
    this.#heartbeat = clock.every(heartbeatMs, () => this.#sendAll(comment));
  }

  #rest(): void {
    this.#unlisten?.();
    this.#heartbeat?.cancel();
    this.#flush?.cancel();
    this.#flush = undefined;
    this.#pending.clear();
  }

  #remove(stream: LiveStream): void {
    if (this.#streams.delete(stream) && this.#streams.size === 0) this.#rest();
  }

  #onEvent(event: LiveEvent): void {
    try {
      if (event.kind === 'alarms') {
        this.#sendAll(Buffer.from(encode(event)));
        return;
      }
      this.#pending.add(event);
      this.#flush ??= this.#options.clock.after(flushMs, () => this.#flushPending());
    } catch (error) {
      // The platform must not suffer from a screen.
      this.#options.log.error('live feed: a change could not be sent', { reason: messageOf(error) });
    }
  }

  #flushPending(): void {
    this.#flush = undefined;
    if (this.#pending.isEmpty) return;
    const text = this.#pending.take().map((event) => encode(event));
    this.#sendAll(Buffer.from(text.join('')));
  }

  #sendAll(bytes: Buffer): void {
    for (const stream of this.#streams) {
      if (stream.send(bytes)) continue;
      this.#cut++;
      this.#options.log.warning('live feed: a client that does not read was cut');
      this.#remove(stream);
    }
  }

  #snapshot(): string {
    const { platform } = this.#options;
    const events: readonly LiveEvent[] = [
      { kind: 'devices', devices: platform.devices() },
      { kind: 'alarms', alarms: platform.alarms(snapshotAlarms) },
      { kind: 'status', status: platform.status() },
    ];
    return `retry: 2000\n\n${events.map((event) => encode(event)).join('')}`;
  }
}

/** One server-sent event. JSON holds no line feed, so one `data` line is enough. */
function encode(event: LiveEvent): string {
  return `event: ${event.kind}\ndata: ${JSON.stringify(event)}\n\n`;
}

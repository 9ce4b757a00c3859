import type { Clock } from '#base';
import type {
  Decoded,
  DecodedValue,
  DeviceId,
  DeviceMessage,
  EpochMs,
  IngestBatch,
  Quality,
  Reading,
  Stamp,
} from '#model';
import type { UserProperty } from '#mqtt';
import { BatchBuilder } from './batch-builder.ts';
import type { AlarmPort, BatchAddition, CommandPort, RegistryPort } from './ports.ts';
import type { SequenceSupervisor } from './sequence-supervisor.ts';
import { clockToleranceMs, readStamp } from './stamp.ts';

/** One message from the broker. */
export interface IngestMessage {
  readonly topic: string;
  /** Valid only during `push`. */
  readonly payload: Buffer;
  /** Of MQTT 5; `null` where there are none. */
  readonly properties: { readonly userProperties: readonly UserProperty[] } | null;
  /** Tells the broker that it may forget the message. Called once, after the commit. */
  readonly acknowledge: () => void;
}

/** The cores that ingest leads a message through, and the ways out of it. */
export interface IngestOptions {
  readonly clock: Clock;
  readonly decoders: {
    decode(topic: string, payload: Buffer, stamp: Stamp | undefined, now: EpochMs): Decoded;
  };
  readonly supervisor: SequenceSupervisor;
  readonly registry: RegistryPort;
  readonly alarms: AlarmPort;
  readonly commands: CommandPort;
  /** Writes all of the batch or throws. Synchronous: the store lives on the same thread. */
  readonly commit: (batch: IngestBatch) => void;
  /** What was committed, for the screen. */
  readonly publishLive: (batch: IngestBatch) => void;
  /** A commit failed. This ingest does nothing any more; its owner begins again with what the store holds. */
  readonly onFailed: (error: unknown) => void;
  readonly limits: IngestLimits;
}

/** When a batch should not wait any longer. */
export interface IngestLimits {
  /** Rows at which `isDue`. */
  readonly batchRows: number;
  /** Milliseconds after the first message of a batch at which `isDue`. */
  readonly batchDelayMs: number;
}

/** Everything that went through, and everything that did not. */
export interface IngestCounts {
  readonly messages: number;
  readonly readings: number;
  readonly quarantined: number;
  /** Not telemetry, and no command's result either. */
  readonly ignored: number;
  readonly redelivered: number;
  readonly repeated: number;
  readonly missing: number;
  readonly commits: number;
  readonly lastCommitMs: number;
  /** Came after a commit had failed: not acknowledged, so the broker keeps them. */
  readonly leftToBroker: number;
}

const quarantinedBytes = 1_024;
const quarantinedTopicLength = 512;

/**
 * From messages to one commit (docs/life-of-a-reading.md). `push` decodes, supervises and judges; `flush` commits, and
 * only then acknowledges: what a broker was told to forget is on disk.
 */
export class Ingest {
  readonly #options: IngestOptions;
  readonly #batch = new BatchBuilder();
  #acknowledgements: (() => void)[] = [];
  /** By the monotonic clock; when the oldest message of the batch came. */
  #pendingSince = 0;
  #hasFailed = false;
  #messages = 0;
  #readings = 0;
  #quarantined = 0;
  #ignored = 0;
  #commits = 0;
  #lastCommitMs = 0;
  #leftToBroker = 0;

  constructor(options: IngestOptions) {
    this.#options = options;
  }

  get counts(): IngestCounts {
    const { missing, repeated, redelivered } = this.#options.supervisor.totals;
    return {
      messages: this.#messages,
      readings: this.#readings,
      quarantined: this.#quarantined,
      ignored: this.#ignored,
      redelivered,
      repeated,
      missing,
      commits: this.#commits,
      lastCommitMs: this.#lastCommitMs,
      leftToBroker: this.#leftToBroker,
    };
  }

  /** Something waits for a `flush`. */
  get isPending(): boolean {
    return this.#acknowledgements.length > 0 || !this.#batch.isEmpty;
  }

  /** A `flush` should not wait for more: the batch is full, or its oldest message has waited long enough. */
  get isDue(): boolean {
    const { clock, limits } = this.#options;
    if (!this.isPending) return false;
    return (
      this.#batch.rows >= limits.batchRows || clock.monotonic() - this.#pendingSince >= limits.batchDelayMs
    );
  }

  /** Takes one message. Never throws, whatever the message holds. */
  push(message: IngestMessage): void {
    if (this.#hasFailed) {
      this.#leftToBroker += 1;
      return;
    }
    const now = this.#options.clock.now();
    this.#beginPending();
    this.#messages += 1;
    this.#acknowledgements.push(message.acknowledge);
    const stamp = readStamp(message.properties?.userProperties);
    // A site whose clock runs ahead would put its readings into the future: those are dated by their arrival here.
    const isAhead = stamp !== undefined && stamp.receivedAt > now + clockToleranceMs;
    const believed = isAhead ? { ...stamp, receivedAt: now } : stamp;
    const decoded = this.#options.decoders.decode(message.topic, message.payload, believed, now);
    switch (decoded.kind) {
      case 'readings':
        this.#takeReadings(message, decoded.message, decoded.values, isAhead, now);
        return;
      case 'hello':
        this.#takeHello(decoded.message, now);
        return;
      case 'unreadable':
        this.#quarantine(message, decoded.reason, now);
        return;
      case 'ignored':
        this.#leaveToCommands(message, now);
    }
  }

  /** Adds what did not come by a message (an acknowledgement, an approval, a command) to the next commit. */
  add(addition: BatchAddition): void {
    if (this.#hasFailed) return;
    this.#beginPending();
    this.#batch.add(addition);
  }

  /** Notices what time alone brings: silence, the end of a warm-up, delays of alarms, commands without an answer. */
  tick(): void {
    if (this.#hasFailed) return;
    const { clock, registry, alarms, commands } = this.#options;
    const now = clock.now();
    this.#beginPending();
    const events = registry.tick(now);
    this.#batch.addEvents(events);
    for (const event of events) {
      if (event.kind === 'warm') this.#batch.addAlarms(alarms.onWarm(event.deviceId, now));
    }
    this.#batch.addAlarms(alarms.tick(now));
    for (const command of commands.tick(now)) this.#batch.addCommand(command);
  }

  /** Commits everything so far as one batch, acknowledges its messages in order, then tells the screen. */
  flush(): void {
    if (this.#hasFailed || !this.isPending) return;
    const { clock, registry, commit, publishLive, onFailed } = this.#options;
    const acknowledgements = this.#acknowledgements;
    this.#acknowledgements = [];
    const batch = this.#batch.build((id) => registry.get(id));
    const start = clock.monotonic();
    try {
      commit(batch);
    } catch (error) {
      this.#hasFailed = true;
      this.#leftToBroker += acknowledgements.length;
      onFailed(error);
      return;
    }
    this.#lastCommitMs = clock.monotonic() - start;
    this.#commits += 1;
    this.#readings += batch.readings.length;
    for (const acknowledge of acknowledgements) acknowledge();
    publishLive(batch);
  }

  #takeReadings(
    raw: IngestMessage,
    message: DeviceMessage,
    values: readonly DecodedValue[],
    isAhead: boolean,
    now: EpochMs,
  ): void {
    const { registry, supervisor } = this.#options;
    const id = message.deviceId;
    if (id === undefined) return this.#quarantine(raw, 'the message names no device', now);
    const admission = registry.admit(id, message, now);
    if (admission.refused !== undefined) return this.#quarantine(raw, admission.refused, now);
    if (admission.hello !== undefined) this.#greet(id, admission.hello, now);
    const found = supervisor.observe(id, message);
    const sequence = supervisor.stateOf(id);
    if (sequence === undefined) return;
    const eventAt = message.receivedAt;
    this.#batch.touch(id);
    if (found.event !== undefined)
      this.#batch.events.push({ deviceId: id, kind: found.event, at: eventAt, detail: found.detail });
    if (found.kind === 'redelivered') return registry.noteSequence(id, sequence);
    if (found.kind === 'repeat') {
      registry.noteSequence(id, sequence);
      const warming = registry.isWarming(id, message.receivedAt);
      for (const value of values)
        this.#judge(createReading(id, message, value, found.epoch, warming, isAhead), message, 'repeat', now);
      return;
    }
    const { warming, events } = registry.onReading(id, message, values, sequence, now);
    if (events.length > 0) this.#batch.addEvents(events);
    for (const value of values) {
      const reading = createReading(id, message, value, found.epoch, warming, isAhead);
      this.#batch.readings.push(reading);
      this.#judge(reading, message, warming ? 'warming' : 'full', now);
    }
  }

  #takeHello(message: DeviceMessage, now: EpochMs): void {
    const id = this.#options.registry.claimHello(message);
    if (id !== undefined) this.#greet(id, message, now);
  }

  #greet(id: DeviceId, message: DeviceMessage, now: EpochMs): void {
    const { registry, supervisor } = this.#options;
    const verdict = supervisor.hello(id, message);
    const sequence = supervisor.stateOf(id);
    if (sequence === undefined) return;
    this.#batch.touch(id);
    if (verdict === 'redelivered') return registry.noteSequence(id, sequence);
    this.#batch.addEvents(registry.onHello(id, message, sequence, now));
  }

  #judge(reading: Reading, message: DeviceMessage, trust: 'full' | 'warming' | 'repeat', now: EpochMs): void {
    const changes = this.#options.alarms.evaluate(reading, message.site, trust, now);
    if (changes !== undefined) this.#batch.addAlarms(changes);
  }

  #leaveToCommands(message: IngestMessage, now: EpochMs): void {
    const command = this.#options.commands.onMessage(message.topic, message.payload, now);
    if (command === undefined) this.#ignored += 1;
    else this.#batch.addCommand(command);
  }

  #quarantine(message: IngestMessage, reason: string, now: EpochMs): void {
    const { topic, payload } = message;
    this.#quarantined += 1;
    this.#batch.quarantined.push({
      at: now,
      topic: topic.length > quarantinedTopicLength ? `${topic.slice(0, quarantinedTopicLength)}…` : topic,
      payload: Buffer.from(payload.subarray(0, quarantinedBytes)),
      size: payload.length,
      reason,
    });
  }

  #beginPending(): void {
    if (!this.isPending) this.#pendingSince = this.#options.clock.monotonic();
  }
}

/** A device's own clock is believed within 30 s of the reception; beyond that the reception counts. */
function measuredAt(message: DeviceMessage): EpochMs {
  const { deviceTime, receivedAt } = message;
  if (deviceTime === undefined || Math.abs(deviceTime - receivedAt) > clockToleranceMs) return receivedAt;
  return deviceTime;
}

function qualityOf(message: DeviceMessage, warming: boolean, isAhead: boolean): Quality {
  if (warming) return 'warming';
  return message.stampId === '' || isAhead ? 'uncertain-time' : 'good';
}

function createReading(
  deviceId: DeviceId,
  message: DeviceMessage,
  { metric, value, unit }: DecodedValue,
  epoch: number,
  warming: boolean,
  isAhead: boolean,
): Reading {
  return {
    deviceId,
    metric,
    value,
    unit,
    epoch,
    sequence: message.sequence,
    at: measuredAt(message),
    receivedAt: message.receivedAt,
    kind: message.requested ? 'requested' : 'regular',
    quality: qualityOf(message, warming, isAhead),
    stampId: message.stampId,
    topic: message.topic,
  };
}

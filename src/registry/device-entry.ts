import type { Device, DeviceId, DeviceMessage, EpochMs, Registration, SequenceCounts } from '#model';
import { IntervalEstimator } from './interval-estimator.ts';
import { WarmUp } from './warm-up.ts';

/** What sequence supervision found of a device, as it goes into the device's record. */
export interface SequenceState {
  readonly epoch: number;
  readonly lastSequence: number | undefined;
  readonly counts: SequenceCounts;
}

/** The registry's own, changing record of one device. What leaves the registry is a `Device` made by `toDevice`. */
export class DeviceEntry {
  readonly id: DeviceId;
  readonly protocol: 'legacy' | 'json';
  readonly firstSeen: EpochMs;
  mac: string | null;
  macSent: string | null;
  ip: string | null;
  site: string;
  sensorType: string;
  topic: string;
  commandTopic: string | null;
  registration: Registration;
  lastSeen: EpochMs;
  epoch = 0;
  lastSequence: number | undefined;
  missing = 0;
  repeated = 0;
  redelivered = 0;
  resets = 0;
  readonly interval: IntervalEstimator;
  readonly warmUp: WarmUp;
  /** Its first message is not recorded yet. */
  isFresh: boolean;
  /** An event told that it fell silent. */
  isSilent = false;
  /** Silence is counted from here at the earliest: this process heard nothing before. */
  heardSince: EpochMs;
  /** The last regular reading: the next one's distance from it is an interval. */
  lastRegularAt: EpochMs = 0;
  lastRegularSequence: number | undefined;

  constructor(device: Device, isFresh: boolean, now: EpochMs) {
    this.id = device.id;
    this.protocol = device.protocol;
    this.firstSeen = device.firstSeen;
    this.mac = device.mac;
    this.macSent = device.macSent;
    this.ip = device.ip;
    this.site = device.site;
    this.sensorType = device.sensorType;
    this.topic = device.topic;
    this.commandTopic = device.commandTopic;
    this.registration = device.registration;
    this.lastSeen = device.lastSeen;
    this.interval = new IntervalEstimator(device.intervalMs);
    this.warmUp = new WarmUp(device.warmUntil);
    this.isFresh = isFresh;
    this.heardSince = now;
    this.noteSequence(device);
  }

  noteSequence(state: SequenceState): void {
    this.epoch = state.epoch;
    this.lastSequence = state.lastSequence;
    this.missing = state.counts.missing;
    this.repeated = state.counts.repeated;
    this.redelivered = state.counts.redelivered;
    this.resets = state.counts.resets;
  }

  toDevice(): Device {
    return {
      id: this.id,
      mac: this.mac,
      macSent: this.macSent,
      ip: this.ip,
      site: this.site,
      sensorType: this.sensorType,
      protocol: this.protocol,
      topic: this.topic,
      commandTopic: this.commandTopic,
      registration: this.registration,
      firstSeen: this.firstSeen,
      lastSeen: this.lastSeen,
      epoch: this.epoch,
      lastSequence: this.lastSequence,
      intervalMs: this.interval.value,
      warmUntil: this.warmUp.isOver ? 0 : this.warmUp.until,
      counts: {
        missing: this.missing,
        repeated: this.repeated,
        redelivered: this.redelivered,
        resets: this.resets,
      },
    };
  }
}

/** The record of a device of which this is the first message. */
export function createDevice(
  id: DeviceId,
  message: DeviceMessage,
  registration: Registration,
  now: EpochMs,
): Device {
  const seen = Math.min(message.receivedAt, now);
  return {
    id,
    mac: message.mac,
    macSent: message.macSent,
    ip: message.ip,
    site: message.site,
    sensorType: message.sensorType,
    protocol: message.protocol,
    topic: message.topic,
    commandTopic: message.commandTopic,
    registration,
    firstSeen: seen,
    lastSeen: seen,
    epoch: 0,
    lastSequence: undefined,
    intervalMs: undefined,
    warmUntil: 0,
    counts: { missing: 0, repeated: 0, redelivered: 0, resets: 0 },
  };
}

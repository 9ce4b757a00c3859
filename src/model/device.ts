import type { DeviceId, EpochMs } from './ids.ts';

/** What the screen shows of a device. Order = how urgent it is. `new` devices have a state as well. */
export const deviceStates = ['gas', 'silent', 'warming-up', 'normal'] as const;
export type DeviceState = (typeof deviceStates)[number];

/** `new`: seen, not approved by a person or the configuration; its readings are kept but marked. */
export type Registration = 'new' | 'approved';

/** Sequence supervision's counts since the device was first seen. */
export interface SequenceCounts {
  /** Sequence numbers that never came. */
  readonly missing: number;
  /** The same number again from the device (another stamp): a repeat or a replay. */
  readonly repeated: number;
  /** The same message again from the network (same stamp): dropped, as it must be. */
  readonly redelivered: number;
  /** The count began anew. */
  readonly resets: number;
}

export interface Device {
  readonly id: DeviceId;
  readonly mac: string | null;
  readonly macSent: string | null;
  readonly ip: string | null;
  readonly site: string;
  readonly sensorType: string;
  readonly protocol: 'legacy' | 'json';
  readonly topic: string;
  readonly commandTopic: string | null;
  readonly registration: Registration;
  readonly firstSeen: EpochMs;
  readonly lastSeen: EpochMs;
  /** Boots seen. */
  readonly epoch: number;
  /** Highest sequence number of this epoch. */
  readonly lastSequence: number | undefined;
  /** Milliseconds between regular readings, as observed; `undefined` until two have come. */
  readonly intervalMs: number | undefined;
  /** When the warm-up that a hello began will end at the latest; 0 = warm. */
  readonly warmUntil: EpochMs;
  readonly counts: SequenceCounts;
}

/** Something that sequence supervision or the registry noticed: an immutable row. */
export const deviceEventKinds = [
  'new',
  'hello',
  'gap',
  'repeat',
  'reset',
  'address-changed',
  'silent',
  'heard-again',
  'warm',
  'approved',
] as const;
export type DeviceEventKind = (typeof deviceEventKinds)[number];

export interface DeviceEvent {
  readonly deviceId: DeviceId;
  readonly kind: DeviceEventKind;
  readonly at: EpochMs;
  /** For people: `sequence 17 to 19 missing`. */
  readonly detail: string;
}

/** A message that could not be read: kept for a while where a person can look at it. */
export interface Quarantined {
  readonly at: EpochMs;
  readonly topic: string;
  /** At most the first 1,024 bytes. */
  readonly payload: Buffer;
  readonly size: number;
  readonly reason: string;
}

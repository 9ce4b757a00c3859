import type { DeviceId, EpochMs } from './ids.ts';

/** How far a value can be trusted. `uncertain-time`: no reception stamp travelled with it, the time is a later one. */
export const qualities = ['good', 'warming', 'uncertain-time'] as const;
export type Quality = (typeof qualities)[number];

/** Why the device spoke: by its own interval, or because it was asked. */
export type ReadingKind = 'regular' | 'requested';

/** One value of one device at one time: what a row of `readings` holds. */
export interface Reading {
  readonly deviceId: DeviceId;
  /** What was measured: `gas`, `cpu_load`, `memory_used`, `temperature`, … */
  readonly metric: string;
  /** The value in the metric's unit; a legacy detector's `gas` is 0 or 1. */
  readonly value: number;
  /** `1` = dimensionless, `ppm`, `%`, `Cel`, `By`, … (UCUM); empty where the device does not say. */
  readonly unit: string;
  /** Counts the device's boots as far as they were seen; a sequence number is unique within one. */
  readonly epoch: number;
  /** The device's own count; `undefined` where it has none: then the stamp tells readings apart. */
  readonly sequence: number | undefined;
  /** When it was measured, as well as is known: the device's own time, else the site's reception, else the cloud's. */
  readonly at: EpochMs;
  /** When the site's broker took it (or, without a stamp, when it arrived here). */
  readonly receivedAt: EpochMs;
  readonly kind: ReadingKind;
  readonly quality: Quality;
  /** `davy-id` of the stamp; empty without one. With it a redelivery is told from a repeat. */
  readonly stampId: string;
  readonly topic: string;
}

/** What a decoder makes of one message. */
export type Decoded =
  | { readonly kind: 'readings'; readonly message: DeviceMessage; readonly values: readonly DecodedValue[] }
  | { readonly kind: 'hello'; readonly message: DeviceMessage }
  | { readonly kind: 'unreadable'; readonly reason: string }
  /** Not telemetry (a command, a result, …): left to others. */
  | { readonly kind: 'ignored' };

/** What is known of the sender from topic, payload and stamp. */
export interface DeviceMessage {
  readonly protocol: 'legacy' | 'json';
  /** `undefined` for a legacy hello, which names no MAC: the topic tells the device. */
  readonly deviceId: DeviceId | undefined;
  /** True MAC, upper case with colons; `null` for devices that do not tell. */
  readonly mac: string | null;
  /** The MAC as it was sent. */
  readonly macSent: string | null;
  readonly ip: string | null;
  /** `Gas`, `Temperature`, …: the legacy `<Type>`; `host` for a host agent. */
  readonly sensorType: string;
  readonly site: string;
  readonly topic: string;
  /** Where its commands go; `null` for devices that take none. */
  readonly commandTopic: string | null;
  readonly sequence: number | undefined;
  readonly bootId: string | undefined;
  readonly requested: boolean;
  /** The device's own clock, where it has one. */
  readonly deviceTime: EpochMs | undefined;
  readonly receivedAt: EpochMs;
  readonly stampId: string;
  /** Its sender said that it may have sent it before: the site's broker acknowledged it, and the answer was lost. */
  readonly mayBeRepeat?: boolean;
}

export interface DecodedValue {
  readonly metric: string;
  readonly value: number;
  readonly unit: string;
}

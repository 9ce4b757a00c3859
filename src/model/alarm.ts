import type { DeviceId, EpochMs } from './ids.ts';

/** ISA-18.2 / IEC 62682 states in use so far. `returned` = back to normal, not yet acknowledged. */
export const alarmStates = ['normal', 'unacknowledged', 'acknowledged', 'returned'] as const;
export type AlarmState = (typeof alarmStates)[number];

export const alarmTransitionKinds = ['raise', 'acknowledge', 'return', 're-raise'] as const;
export type AlarmTransitionKind = (typeof alarmTransitionKinds)[number];

/** A rule: when `metric` of a device stays at or above `setPoint` for `onDelayMs`, the alarm is raised. */
export interface AlarmRule {
  readonly name: string;
  readonly metric: string;
  readonly setPoint: number;
  /** The value must fall below `setPoint - deadband` to return to normal. */
  readonly deadband: number;
  readonly onDelayMs: number;
  readonly offDelayMs: number;
  /** 1 critical, 2 high, 3 medium, 4 low. */
  readonly priority: 1 | 2 | 3 | 4;
}

/** One alarm, from its raising until it is normal and acknowledged. */
export interface Alarm {
  /** Unique: `<device>/<rule>/<raise time>`; used in URLs percent-encoded. */
  readonly id: string;
  readonly deviceId: DeviceId;
  readonly site: string;
  readonly rule: string;
  readonly priority: 1 | 2 | 3 | 4;
  readonly state: AlarmState;
  readonly setPoint: number;
  /** The value that raised it, and the highest since. */
  readonly raisedValue: number;
  readonly peakValue: number;
  /** `at` of the reading that raised it. */
  readonly raisedAt: EpochMs;
  readonly acknowledgedAt: EpochMs | null;
  readonly acknowledgedBy: string | null;
  readonly returnedAt: EpochMs | null;
}

/** An immutable row for each change: who, when, from, to, value, set-point, comment. */
export interface AlarmTransition {
  readonly alarmId: string;
  readonly deviceId: DeviceId;
  readonly kind: AlarmTransitionKind;
  readonly from: AlarmState;
  readonly to: AlarmState;
  readonly at: EpochMs;
  /** A person's name; `system` where nobody acted. */
  readonly by: string;
  readonly value: number | null;
  readonly setPoint: number;
  readonly comment: string;
}

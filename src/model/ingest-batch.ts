import type { Alarm, AlarmTransition } from './alarm.ts';
import type { Command } from './command.ts';
import type { Device, DeviceEvent, Quarantined } from './device.ts';
import type { Reading } from './reading.ts';

/** Everything that one commit writes: all of it, or nothing. */
export interface IngestBatch {
  readonly readings: readonly Reading[];
  /** Whole records of devices that are new or changed, with their sequence state. */
  readonly devices: readonly Device[];
  readonly events: readonly DeviceEvent[];
  readonly alarms: readonly Alarm[];
  readonly transitions: readonly AlarmTransition[];
  readonly commands: readonly Command[];
  readonly quarantined: readonly Quarantined[];
}

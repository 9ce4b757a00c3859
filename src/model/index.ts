/** Level 1: nouns that several cores share. Data and pure functions only. */
export { deviceIdOfMac, parseDeviceId, parseName, type DeviceId, type EpochMs, type Name } from './ids.ts';
export {
  bridgeProperty,
  legacyInPrefix,
  legacyOutPrefix,
  nativePrefix,
  stampProperty,
  type Stamp,
} from './topics.ts';
export {
  qualities,
  type Decoded,
  type DecodedValue,
  type DeviceMessage,
  type Quality,
  type Reading,
  type ReadingKind,
} from './reading.ts';
export {
  deviceEventKinds,
  deviceStates,
  type Device,
  type DeviceEvent,
  type DeviceEventKind,
  type DeviceState,
  type Quarantined,
  type Registration,
  type SequenceCounts,
} from './device.ts';
export {
  alarmStates,
  alarmTransitionKinds,
  type Alarm,
  type AlarmRule,
  type AlarmState,
  type AlarmTransition,
  type AlarmTransitionKind,
} from './alarm.ts';
export {
  commandNames,
  commandStates,
  type Command,
  type CommandName,
  type CommandRequest,
  type CommandResult,
  type CommandState,
} from './command.ts';
export type { IngestBatch } from './ingest-batch.ts';
export { hasTooManyProperties } from './user-properties.ts';

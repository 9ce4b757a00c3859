import type {
  Alarm,
  AlarmTransition,
  Command,
  DecodedValue,
  Device,
  DeviceEvent,
  DeviceId,
  DeviceMessage,
  EpochMs,
  IngestBatch,
  Reading,
} from '#model';
import type { SequenceState } from './sequence-supervisor.ts';

/** What ingest needs of the device registry. */
export interface RegistryPort {
  admit(
    id: DeviceId,
    message: DeviceMessage,
    now: EpochMs,
  ): { readonly refused: string | undefined; readonly hello: DeviceMessage | undefined };
  claimHello(message: DeviceMessage): DeviceId | undefined;
  onHello(
    id: DeviceId,
    message: DeviceMessage,
    sequence: SequenceState,
    now: EpochMs,
  ): readonly DeviceEvent[];
  onReading(
    id: DeviceId,
    message: DeviceMessage,
    values: readonly DecodedValue[],
    sequence: SequenceState,
    now: EpochMs,
  ): { readonly warming: boolean; readonly events: readonly DeviceEvent[] };
  noteSequence(id: DeviceId, sequence: SequenceState): void;
  isWarming(id: DeviceId, receivedAt: EpochMs): boolean;
  get(id: DeviceId): Device | undefined;
  tick(now: EpochMs): readonly DeviceEvent[];
}

/** What changed among the alarms. */
export interface AlarmPortChanges {
  readonly alarms: readonly Alarm[];
  readonly transitions: readonly AlarmTransition[];
}

/** What ingest needs of the alarm engine; `undefined` = nothing changed. */
export interface AlarmPort {
  evaluate(
    reading: Reading,
    site: string,
    trust: 'full' | 'warming' | 'repeat',
    now: EpochMs,
  ): AlarmPortChanges | undefined;
  onWarm(deviceId: DeviceId, now: EpochMs): AlarmPortChanges | undefined;
  tick(now: EpochMs): AlarmPortChanges | undefined;
}

/** What ingest needs of the command ledger. */
export interface CommandPort {
  onMessage(topic: string, payload: Buffer, now: EpochMs): Command | undefined;
  tick(now: EpochMs): readonly Command[];
}

/** What others add to the next commit: an acknowledgement, an approval, a command. */
export type BatchAddition = Partial<IngestBatch>;

/** Level 2: from messages to readings: decoders, sequence supervision and the ingest pipeline. No I/O. */
export { Decoders, type DecodersOptions } from './decoders.ts';
export { readStamp } from './stamp.ts';
export {
  SequenceSupervisor,
  type RecentReading,
  type SequenceState,
  type Supervision,
} from './sequence-supervisor.ts';
export {
  Ingest,
  type IngestCounts,
  type IngestLimits,
  type IngestMessage,
  type IngestOptions,
} from './ingest.ts';
export type { AlarmPort, BatchAddition, CommandPort, RegistryPort } from './ports.ts';

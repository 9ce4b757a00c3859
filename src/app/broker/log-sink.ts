import type { MosquittoLogType } from '#config';

/** One place that log lines go to. */
export interface LogSink {
  /** Takes a line without its line feed. Never waits: what cannot be taken is counted and told of. */
  write(line: string, type: MosquittoLogType): void;
  /** Resolves when what was taken is written, or cannot be. */
  close(): Promise<void>;
}

/** Whom a sink tells of its troubles. */
export interface SinkOwner {
  /** The sink takes lines again; `count` of them were lost. */
  onLost(sink: LogSink, count: number): void;
  /** The sink cannot write; told once for each time it begins. */
  onFault(sink: LogSink, message: string): void;
}

/** Bytes that may wait for a slow disk, pipe or log daemon; what comes then is lost, and counted. */
export const maximumWaitingBytes = 1_048_576;

import type { DeviceId, DeviceMessage, DecodedValue, EpochMs } from '#model';
import { formatSeconds } from './seconds.ts';

/** An interval is the asked one when it is off by no more than this share, or by this many milliseconds. */
const toleranceShare = 0.2;
const toleranceMs = 50;

/** Waits for the answer to one command: a `REQUESTED-` reading, or readings at the interval that was asked for. */
export class AnswerWatch {
  readonly id: string;
  readonly deviceId: DeviceId;
  /** Where the detector listens, and where it speaks. */
  readonly commandTopic: string;
  readonly outTopic: string;
  readonly resultTopic: string;
  /** `null`: a `Request`. */
  readonly seconds: number | null;
  isDelivered = false;
  deadline: EpochMs;
  #lastAt: EpochMs | undefined;
  #lastSequence: number | undefined;

  constructor(fields: {
    readonly id: string;
    readonly deviceId: DeviceId;
    readonly commandTopic: string;
    readonly outTopic: string;
    readonly resultTopic: string;
    readonly seconds: number | null;
    readonly deadline: EpochMs;
  }) {
    this.id = fields.id;
    this.deviceId = fields.deviceId;
    this.commandTopic = fields.commandTopic;
    this.outTopic = fields.outTopic;
    this.resultTopic = fields.resultTopic;
    this.seconds = fields.seconds;
    this.deadline = fields.deadline;
  }

  /** The result's detail when this reading is the answer. */
  onReading(message: DeviceMessage, values: readonly DecodedValue[]): string | undefined {
    if (message.deviceId !== this.deviceId) return undefined;
    if (this.seconds === null)
      return message.requested ? `reading ${values.map(({ value }) => value).join(', ')}` : undefined;
    if (message.requested) return undefined;
    const intervalMs = this.#intervalBefore(message);
    const askedMs = this.seconds * 1000;
    const isAsAsked =
      intervalMs !== undefined &&
      Math.abs(intervalMs - askedMs) <= Math.max(askedMs * toleranceShare, toleranceMs);
    return isAsAsked ? `readings now every ${formatSeconds(this.seconds)} s` : undefined;
  }

  /** From the reading before, when this one follows it. */
  #intervalBefore(message: DeviceMessage): number | undefined {
    const { receivedAt, sequence } = message;
    const isFollowing =
      sequence === undefined || this.#lastSequence === undefined || sequence === this.#lastSequence + 1;
    const intervalMs = this.#lastAt !== undefined && isFollowing ? receivedAt - this.#lastAt : undefined;
    this.#lastAt = receivedAt;
    this.#lastSequence = sequence;
    return intervalMs;
  }
}

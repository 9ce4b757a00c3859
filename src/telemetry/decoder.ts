import type { Decoded, EpochMs, Stamp } from '#model';

/** One message as it arrived, before anybody knows what it says. */
export interface Incoming {
  readonly topic: string;
  /** Valid only during the call. */
  readonly payload: Buffer;
  readonly stamp: Stamp | undefined;
  readonly now: EpochMs;
}

/** A protocol: which topics it speaks on and what its payloads mean. Synchronous; never throws. */
export interface Decoder {
  readonly name: string;
  handles(topic: string): boolean;
  decode(incoming: Incoming): Decoded;
}

/** What a decoder says of a message that it cannot read; the reason names what was expected where. */
export function unreadable(reason: string): Decoded {
  return { kind: 'unreadable', reason };
}

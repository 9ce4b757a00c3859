import { nativePrefix, type Decoded, type EpochMs, type Stamp } from '#model';
import { unreadable, type Decoder } from './decoder.ts';
import { JsonDecoder } from './json-decoder.ts';
import { LegacyDecoder } from './legacy-decoder.ts';

/** What the decoders need of the configuration. */
export interface DecodersOptions {
  /** Site address of legacy topics → site name, for messages without a stamp. */
  readonly siteAddresses: ReadonlyMap<string, string>;
}

/** Native topics that carry no telemetry: `davy/v1/<tenant>/<site>/<device>/<one of these>[/…]`. */
const otherNativeLeaves: ReadonlySet<string> = new Set(['state', 'event', 'command', 'config']);

/** Leaves to others what is not telemetry: commands and their results, states, the broker's own topics. */
const otherTopics: Decoder = {
  name: 'other',
  handles: (topic) =>
    topic.startsWith('$') ||
    (topic.startsWith(`${nativePrefix}/`) && otherNativeLeaves.has(topic.split('/', 6)[5] ?? '')),
  decode: () => ({ kind: 'ignored' }),
};

/** All protocols, the busiest first. A new one is a file beside this and a line here. */
function createTable(options: DecodersOptions): readonly Decoder[] {
  return [new LegacyDecoder(options.siteAddresses), otherTopics, new JsonDecoder()];
}

/** Turns messages into what they say, by the first decoder that knows the topic. */
export class Decoders {
  readonly #table: readonly Decoder[];

  constructor(options: DecodersOptions) {
    this.#table = createTable(options);
  }

  decode(topic: string, payload: Buffer, stamp: Stamp | undefined, now: EpochMs): Decoded {
    for (const decoder of this.#table) {
      if (decoder.handles(topic)) return decoder.decode({ topic, payload, stamp, now });
    }
    return unreadable('topic: no decoder knows it');
  }
}

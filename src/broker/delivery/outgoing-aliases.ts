import type { LimitsConfig } from '#config';

/** More aliases than a client's busiest topics need would only cost memory; where nobody asks for more, this is all. */
const most = 32;

/**
 * Topic aliases towards one client (MQTT 5, 3.3.2.3.4). When all are in use the oldest is given to the new topic:
 * an alias may be set anew at any time, so nothing needs to be told.
 */
export class OutgoingAliases {
  readonly #maximum: number;
  readonly #byTopic = new Map<string, number>();

  /** `maximum`: at least 1. */
  private constructor(maximum: number) {
    this.#maximum = maximum;
  }

  /** As many as the client allows [MQTT-3.1.2-26] and the bounds let us use; `null` = none. */
  static create(allowed: number, limits: LimitsConfig): OutgoingAliases | null {
    const { topicAliasMaximumOutgoing = Math.min(limits.topicAliasMaximum, most) } = limits;
    const maximum = Math.min(allowed, topicAliasMaximumOutgoing);
    return maximum > 0 ? new OutgoingAliases(maximum) : null;
  }

  /** The alias that stands for the topic already; 0 = none. */
  find(topic: string): number {
    return this.#byTopic.get(topic) ?? 0;
  }

  /** Gives the topic an alias, to be sent along with the topic's name once. */
  assign(topic: string): number {
    let alias = this.#byTopic.size + 1;
    if (alias > this.#maximum) {
      for (const [oldest, freed] of this.#byTopic) {
        alias = freed;
        this.#byTopic.delete(oldest);
        break;
      }
    }
    this.#byTopic.set(topic, alias);
    return alias;
  }
}

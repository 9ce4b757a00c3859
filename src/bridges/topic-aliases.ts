import { ReasonCode, type PublishPacket, type PublishProperties } from '#mqtt';

/** Topic aliases that a bridge uses towards the other broker (MQTT 5, 3.3.2.3.4): the first topics get them, for good. */
export class SendingAliases {
  readonly #aliases = new Map<string, number>();
  readonly #maximum: number;

  constructor(maximum: number) {
    this.#maximum = maximum;
  }

  /** Puts an alias into the properties where there is one. The topic as it is to be sent: empty once it is known. */
  apply(topic: string, properties: PublishProperties): string {
    const known = this.#aliases.get(topic);
    if (known !== undefined) {
      properties.topicAlias = known;
      return '';
    }
    if (this.#aliases.size < this.#maximum) {
      const alias = this.#aliases.size + 1;
      this.#aliases.set(topic, alias);
      properties.topicAlias = alias;
    } else properties.topicAlias = undefined;
    return topic;
  }

  /** The last topic's alias was not sent after all. */
  forget(topic: string): void {
    this.#aliases.delete(topic);
  }
}

/** Topic aliases that the other broker uses; the link has checked that they are within what was announced. */
export class ReceivingAliases {
  readonly #topics: (string | undefined)[] = [];

  /** Gives the packet its topic. An alias without a meaning breaks the protocol. */
  resolve(packet: PublishPacket): ReasonCode {
    const alias = packet.properties?.topicAlias;
    if (alias === undefined) return ReasonCode.Success;
    if (packet.topic !== '') {
      this.#topics[alias] = packet.topic;
      return ReasonCode.Success;
    }
    const topic = this.#topics[alias];
    if (topic === undefined) return ReasonCode.ProtocolError;
    packet.topic = topic;
    return ReasonCode.Success;
  }
}

import type { PublishProperties, UserProperty } from '#mqtt';

/** User property that names a broker which a message has left; once for each, in order. */
const viaProperty = 'davy-via';

/** A message that has crossed more bridges than this goes in circles, or might as well. */
const maximumHops = 16;

/**
 * Recognises messages that come back. A message that is carried out gets the name of this broker; one that is fetched in
 * gets the name with `>` before it: else, having entered by one bridge, it could not leave by another.
 */
export class ViaTag {
  readonly #name: string;
  readonly #entry: string;
  readonly #property: UserProperty;
  readonly #only: readonly UserProperty[];

  constructor(brokerName: string, direction: 'in' | 'out') {
    this.#name = brokerName;
    this.#entry = direction === 'out' ? brokerName : `>${brokerName}`;
    this.#property = [viaProperty, this.#entry];
    this.#only = [this.#property];
  }

  /** True: the message has been here before, or has come too far. */
  isLoop(properties: PublishProperties | null): boolean {
    if (properties === null) return false;
    let hops = 0;
    for (const [name, value] of properties.userProperties) {
      if (name !== viaProperty) continue;
      hops += 1;
      if (hops > maximumHops || value === this.#name || value === this.#entry) return true;
    }
    return false;
  }

  /**
   * The properties with which the message goes on: everything that is the publisher's, and this broker's name. Topic
   * alias and subscription identifiers belong to the connection it came by [MQTT-3.3.4-6]. Fills a record that is given.
   */
  mark(properties: PublishProperties | null, into: PublishProperties): void {
    into.payloadFormat = properties?.payloadFormat;
    into.messageExpiry = properties?.messageExpiry;
    into.responseTopic = properties?.responseTopic;
    into.correlationData = properties?.correlationData;
    into.contentType = properties?.contentType;
    into.userProperties =
      properties === null || properties.userProperties.length === 0
        ? this.#only
        : [...properties.userProperties, this.#property];
  }
}

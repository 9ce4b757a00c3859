import { bridgeProperty } from '#model';
import type { PublishProperties, UserProperty } from '#mqtt';

/** A message that has crossed more bridges than this goes in circles, or might as well. */
const maximumHops = 16;

/**
 * Recognises messages that come back, by a user property that names the brokers which a message has left, in order. A
 * message that is carried out gets the name of this broker. One that is fetched in gets the name of the broker it is
 * fetched from, where that is known, and ours with `>` before it: else, having entered by one bridge, it could not leave
 * by another.
 */
export class ViaTag {
  readonly #isOut: boolean;
  readonly #name: string;
  readonly #entry: string;
  #remoteName: string | null = null;
  #added: readonly UserProperty[];

  constructor(brokerName: string, direction: 'in' | 'out') {
    this.#isOut = direction === 'out';
    this.#name = brokerName;
    this.#entry = this.#isOut ? brokerName : `>${brokerName}`;
    this.#added = [[bridgeProperty.via, this.#entry]];
  }

  /** A connection to the other broker begins; `null` = it does not say its name. */
  meet(remoteName: string | null): void {
    this.#remoteName = remoteName;
    const entry: UserProperty = [bridgeProperty.via, this.#entry];
    const isNamed = !this.#isOut && remoteName !== null;
    this.#added = isNamed ? [[bridgeProperty.via, remoteName], entry] : [entry];
  }

  /** True: the message has been here before, or has come too far. */
  isLoop(properties: PublishProperties | null): boolean {
    if (properties === null) return false;
    let hops = 0;
    let isLeft = false;
    for (const [name, value] of properties.userProperties) {
      if (name !== bridgeProperty.via) continue;
      const isEntry = value.startsWith('>');
      // What was fetched from a broker that is named here has two entries, and crossed one bridge.
      if (!isEntry || !isLeft) hops += 1;
      isLeft = !isEntry;
      if (hops > maximumHops || value === this.#name || value === this.#entry) return true;
    }
    return false;
  }

  /**
   * True: the other broker has a bridge to ours that carries the same messages. Out: it has just carried this one here.
   * In: it has just fetched this one from us.
   */
  isCrossed(properties: PublishProperties | null): boolean {
    if (properties === null || this.#remoteName === null) return false;
    let before = '';
    let last = '';
    for (const [name, value] of properties.userProperties) {
      if (name !== bridgeProperty.via) continue;
      before = last;
      last = value;
    }
    if (this.#isOut) return last === this.#remoteName;
    return before === this.#name && last === `>${this.#remoteName}`;
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
        ? this.#added
        : [...properties.userProperties, ...this.#added];
  }
}

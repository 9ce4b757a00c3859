import type { BridgeConfig } from '#config';
import type { BrokerLink } from '#client';
import { ReasonCode, type ConnackPacket, type Qos, type Will } from '#mqtt';

const up = Buffer.from('1');
const down = Buffer.from('0');

/** Publishes on our own broker as the broker itself, retained. */
export type PublishLocally = (topic: string, payload: Buffer) => void;

/** Tells the state of a link as a retained message on both sides, as Mosquitto's bridges do (`notifications`). */
export class LinkNotices {
  readonly #topic: string;
  readonly #isOn: boolean;
  readonly #isRemoteToo: boolean;
  readonly #publishLocally: PublishLocally;
  /** What the other broker takes; a will beyond it would be a reason to refuse us. */
  #isRetained = true;
  #qos: Qos = 1;

  constructor(config: BridgeConfig, publishLocally: PublishLocally) {
    this.#isOn = config.notifications === true;
    this.#isRemoteToo = this.#isOn && config.notificationsLocalOnly !== true;
    this.#topic = config.notificationTopic ?? `$SYS/broker/connection/${config.clientId}/state`;
    this.#publishLocally = publishLocally;
  }

  /** What the other broker says when this one is cut off; `null` = nothing. */
  will(): Will | null {
    if (!this.#isRemoteToo) return null;
    return {
      topic: this.#topic,
      payload: down,
      qos: this.#qos,
      retain: this.#isRetained,
      delay: 0,
      properties: null,
    };
  }

  /** The other broker does not take the will as it is: it is lowered for the next try. */
  onRefused(reasonCode: number): void {
    if (reasonCode === ReasonCode.RetainNotSupported) this.#isRetained = false;
    if (reasonCode === ReasonCode.QosNotSupported) this.#qos = 0;
  }

  onConnected(remote: BrokerLink, { properties }: ConnackPacket): void {
    if (properties.retainAvailable === false) this.#isRetained = false;
    if (this.#isOn) this.#publishLocally(this.#topic, up);
    this.#tell(remote, up);
  }

  /** Before a polite end, which the will is not for. */
  onLeaving(remote: BrokerLink | null): void {
    if (remote?.isUp === true) this.#tell(remote, down);
  }

  onDown(): void {
    if (this.#isOn) this.#publishLocally(this.#topic, down);
  }

  #tell({ outbox, peerMaximumPacketSize }: BrokerLink, payload: Buffer): void {
    if (!this.#isRemoteToo) return;
    outbox.publish(this.#topic, payload, 0, this.#isRetained, false, 0, null, peerMaximumPacketSize);
    outbox.hurry();
  }
}

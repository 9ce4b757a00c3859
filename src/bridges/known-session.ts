import type { ConnackPacket } from '#mqtt';

/**
 * What a bridge knows of its session in one broker. Held over connections: a connection may end before what its CONNACK
 * said could be acted on, and the next CONNACK does not say it again.
 */
export class KnownSession {
  /** Made since packets last crossed: it holds no packet id of an earlier exchange. */
  isNew = false;
  /** It has all its subscriptions. */
  isSubscribed = false;
  /** Packets have crossed, in this run. */
  hasCarried = false;

  onConnack(connack: ConnackPacket): void {
    if (connack.sessionPresent) return;
    this.isNew = true;
    this.isSubscribed = false;
  }
}

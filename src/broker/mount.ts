import { PacketType, type Packet, type PublishProperties, type Will } from '#mqtt';
import { parseShare } from '#topics';

/**
 * A mount point is a prefix that the clients of a listener do not see: inside the broker their topics, filters, wills
 * and response topics begin with it, on the wire they do not. Access rules, hooks, `$SYS` counters and logs know the
 * inside form. `$SYS` is not below any mount point, so clients of such a listener do not see it.
 */

/** A filter of a client, as the broker knows it: the prefix stands inside `$share/<name>/`. */
export function mountedFilter(mountPoint: string, filter: string): string {
  if (mountPoint === '') return filter;
  const share = parseShare(filter);
  if (share === null) return mountPoint + filter;
  return filter.slice(0, filter.length - share.filter.length) + mountPoint + share.filter;
}

/** A will of a client, as the broker knows it. */
export function mountedWill(mountPoint: string, will: Will): Will {
  if (mountPoint === '') return will;
  const { topic, properties } = will;
  return {
    ...will,
    topic: topic === '' ? topic : mountPoint + topic,
    properties: properties === null ? null : mountedProperties(mountPoint, properties),
  };
}

/** Properties whose response topic is as the broker knows it. */
export function mountedProperties<P extends Partial<PublishProperties>>(
  mountPoint: string,
  properties: P,
): P {
  const { responseTopic } = properties;
  if (responseTopic === undefined || responseTopic === '') return properties;
  return { ...properties, responseTopic: mountPoint + responseTopic };
}

/** SUBSCRIBE and UNSUBSCRIBE with their filters as the broker knows them; any other packet as it is. */
export function mountedPacket(mountPoint: string, packet: Packet): Packet {
  if (mountPoint === '') return packet;
  if (packet.type === PacketType.Unsubscribe)
    return { ...packet, filters: packet.filters.map((filter) => mountedFilter(mountPoint, filter)) };
  if (packet.type !== PacketType.Subscribe) return packet;
  const subscriptions = packet.subscriptions.map((one) => ({
    ...one,
    filter: mountedFilter(mountPoint, one.filter),
  }));
  return { ...packet, subscriptions };
}

/** A topic as the client knows it. One that does not begin with the prefix stays as it is. */
export function unmounted(mountPoint: string, topic: string): string {
  return topic.startsWith(mountPoint) ? topic.slice(mountPoint.length) : topic;
}

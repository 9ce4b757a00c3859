/** Packets in few words, for tables: what is sent, and (with `publishOf`) what is expected. */
import {
  PacketType,
  type AckPacket,
  type Packet,
  type PublishPacket,
  type SubackPacket,
  type SubscriptionRequest,
  type UnsubackPacket,
} from '#mqtt';
import type { Expected } from './wire-case.ts';

type Request = Partial<SubscriptionRequest> & { readonly filter: string };

/** SUBSCRIBE; QoS 2 and all other options 0 unless said otherwise. */
export function subscribe(
  packetId: number,
  requests: string | Request | readonly Request[],
  subscriptionIdentifier?: number,
): Packet {
  const list = typeof requests === 'string' ? [{ filter: requests }] : [requests].flat();
  const subscriptions = list.map((request): SubscriptionRequest => {
    const { filter, qos = 2, noLocal = false, retainAsPublished = false, retainHandling = 0 } = request;
    return { filter, qos, noLocal, retainAsPublished, retainHandling };
  });
  const properties = subscriptionIdentifier === undefined ? {} : { subscriptionIdentifier };
  return { type: PacketType.Subscribe, packetId, subscriptions, properties };
}

export function unsubscribe(packetId: number, ...filters: readonly string[]): Packet {
  return { type: PacketType.Unsubscribe, packetId, filters, properties: {} };
}

export function suback(packetId: number, ...reasonCodes: readonly number[]): SubackPacket {
  return { type: PacketType.Suback, packetId, reasonCodes, properties: {} };
}

export function unsuback(packetId: number, ...reasonCodes: readonly number[]): UnsubackPacket {
  return { type: PacketType.Unsuback, packetId, reasonCodes, properties: {} };
}

const ack =
  (type: AckPacket['type']) =>
  (packetId: number, reasonCode = 0, properties: AckPacket['properties'] = {}): AckPacket => ({
    type,
    packetId,
    reasonCode,
    properties,
  });

export const puback = ack(PacketType.Puback);
export const pubrec = ack(PacketType.Pubrec);
export const pubrel = ack(PacketType.Pubrel);
export const pubcomp = ack(PacketType.Pubcomp);

export const pingreq: Packet = { type: PacketType.Pingreq };
export const pingresp: Packet = { type: PacketType.Pingresp };

/** What an expected CONNACK says. */
export function connack(reasonCode: number, properties: Readonly<Record<string, unknown>> = {}): Expected {
  return { type: PacketType.Connack, reasonCode, sessionPresent: false, properties };
}

/** A PUBLISH that is expected: only what is said is compared; `properties` likewise, field by field. */
export function publishOf(
  topic: string,
  payload: string,
  fields: Partial<Omit<PublishPacket, 'type' | 'properties'>> & {
    readonly properties?: Readonly<Record<string, unknown>>;
  } = {},
): Expected {
  return { type: PacketType.Publish, topic, payload, ...fields };
}

export { connectPacket, publishPacket as publish, willOf } from './broker-harness.ts';

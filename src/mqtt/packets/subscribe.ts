import { PacketType, ProtocolVersion, type Qos } from '../constants.ts';
import type { Cursor } from '../cursor.ts';
import type { SubscribePacket, SubscriptionRequest } from '../packets.ts';
import { readProperties, writeProperties } from '../properties.ts';
import { ReasonCode } from '../reason-code.ts';
import { Writer } from '../writer.ts';

/** Subscription options (MQTT 5, 3.8.3.1). Before MQTT 5 all but the QoS is reserved. */
const Option = {
  Qos: 0x03,
  NoLocal: 0x04,
  RetainAsPublished: 0x08,
  RetainHandling: 0x30,
  Reserved: 0xc0,
} as const;

/** Reads a SUBSCRIBE (MQTT 5, 3.8; 3.1.1, 3.8). Whether a filter is valid is the caller's. */
export function readSubscribe(cursor: Cursor, version: ProtocolVersion): SubscribePacket {
  const packetId = cursor.packetId();
  const properties = version === ProtocolVersion.V5 ? readProperties(cursor, PacketType.Subscribe) : {};
  const subscriptions: SubscriptionRequest[] = [];
  if (cursor.remaining === 0) cursor.fail(ReasonCode.ProtocolError, 'no subscription'); // [MQTT-3.8.3-2]
  while (cursor.remaining > 0) subscriptions.push(readSubscription(cursor, version));
  return { type: PacketType.Subscribe, packetId, subscriptions, properties };
}

function readSubscription(cursor: Cursor, version: ProtocolVersion): SubscriptionRequest {
  const filter = cursor.string('topic filter'); // [MQTT-3.8.3-1]
  const options = cursor.byte('subscription options');
  const reserved = version === ProtocolVersion.V5 ? Option.Reserved : ~Option.Qos & 0xff;
  if ((options & reserved) !== 0) {
    cursor.fail(ReasonCode.MalformedPacket, 'reserved subscription options are set'); // [MQTT-3.8.3-5]
  }
  // MQTT 5 calls both a protocol error (3.8.3.1); 3.1.1 knows the QoS only, as malformed (3.8.3-4).
  const wrong = version === ProtocolVersion.V5 ? ReasonCode.ProtocolError : ReasonCode.MalformedPacket;
  const qos = options & Option.Qos;
  if (qos === 3) cursor.fail(wrong, 'QoS is 3');
  const retainHandling = (options & Option.RetainHandling) >> 4;
  if (retainHandling === 3) cursor.fail(wrong, 'retain handling is 3');
  return {
    filter,
    qos: qos as Qos,
    noLocal: (options & Option.NoLocal) !== 0,
    retainAsPublished: (options & Option.RetainAsPublished) !== 0,
    retainHandling: retainHandling as 0 | 1 | 2,
  };
}

/** Encodes a SUBSCRIBE; options that only MQTT 5 knows are left out before it. */
export function encodeSubscribe(packet: SubscribePacket, version: ProtocolVersion): Buffer {
  const writer = new Writer();
  writer.uint16(packet.packetId);
  if (version === ProtocolVersion.V5) writeProperties(writer, PacketType.Subscribe, packet.properties);
  for (const subscription of packet.subscriptions) {
    writer.string(subscription.filter);
    writer.byte(version === ProtocolVersion.V5 ? optionsOf(subscription) : subscription.qos);
  }
  return writer.finish((PacketType.Subscribe << 4) | 2);
}

function optionsOf(subscription: SubscriptionRequest): number {
  let options = subscription.qos | (subscription.retainHandling << 4);
  if (subscription.noLocal) options |= Option.NoLocal;
  if (subscription.retainAsPublished) options |= Option.RetainAsPublished;
  return options;
}

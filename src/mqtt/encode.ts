import { PacketType, type ProtocolVersion } from './constants.ts';
import type { Packet } from './packets.ts';
import { encodeAck } from './packets/ack.ts';
import { encodeAuth } from './packets/auth.ts';
import { encodeConnack } from './packets/connack.ts';
import { encodeConnect } from './packets/connect.ts';
import { encodeDisconnect } from './packets/disconnect.ts';
import { encodePing } from './packets/ping.ts';
import { encodePublish } from './packets/publish.ts';
import { encodeSuback } from './packets/suback.ts';
import { encodeSubscribe } from './packets/subscribe.ts';
import { encodeUnsuback } from './packets/unsuback.ts';
import { encodeUnsubscribe } from './packets/unsubscribe.ts';

/**
 * Encodes any packet into a buffer of its own, in the shortest form. What `version` does not know (properties, reason
 * codes) is left out; a CONNECT goes by the version that it names itself. Throws `BUG` where a text or binary field is
 * longer than 65,535 bytes.
 */
export function encodePacket(packet: Packet, version: ProtocolVersion): Buffer {
  switch (packet.type) {
    case PacketType.Connect:
      return encodeConnect(packet);
    case PacketType.Connack:
      return encodeConnack(packet, version);
    case PacketType.Publish:
      return encodePublish(packet, version);
    case PacketType.Puback:
    case PacketType.Pubrec:
    case PacketType.Pubrel:
    case PacketType.Pubcomp:
      return encodeAck(packet, version);
    case PacketType.Subscribe:
      return encodeSubscribe(packet, version);
    case PacketType.Suback:
      return encodeSuback(packet, version);
    case PacketType.Unsubscribe:
      return encodeUnsubscribe(packet, version);
    case PacketType.Unsuback:
      return encodeUnsuback(packet, version);
    case PacketType.Pingreq:
    case PacketType.Pingresp:
      return encodePing(packet);
    case PacketType.Disconnect:
      return encodeDisconnect(packet, version);
    default:
      return encodeAuth(packet);
  }
}

import { encodePacket, PacketType, type Packet, type ProtocolVersion } from '#mqtt';

/** What a client takes. */
export interface Receiver {
  readonly version: ProtocolVersion;
  /** Bytes of a packet; `Infinity` when it did not say. */
  readonly maximumPacketSize: number;
  /** False: it wants no reason strings but in CONNACK and DISCONNECT [MQTT-3.1.2-29]. */
  readonly wantsReasons: boolean;
}

/**
 * Encodes a packet other than PUBLISH so that the client takes it: without reason string and user properties where
 * they would make it too large [MQTT-3.2.2-19] [MQTT-3.4.2-2] [MQTT-3.9.2-1] [MQTT-3.14.2-3]. `null` where it is too
 * large even so: it must not be sent [MQTT-3.1.2-24].
 */
export function encodeFitting(packet: Packet, to: Receiver): Buffer | null {
  const mayExplain =
    to.wantsReasons || packet.type === PacketType.Connack || packet.type === PacketType.Disconnect;
  const frame = encodePacket(mayExplain ? packet : withoutWords(packet), to.version);
  if (frame.length <= to.maximumPacketSize) return frame;
  const shorter = encodePacket(withoutWords(packet), to.version);
  return shorter.length <= to.maximumPacketSize ? shorter : null;
}

function withoutWords(packet: Packet): Packet {
  if (!('properties' in packet) || packet.properties === null) return packet;
  return { ...packet, properties: { ...packet.properties, ...noWords } } as unknown as Packet;
}

const noWords = { reasonString: undefined, userProperties: undefined } as const;

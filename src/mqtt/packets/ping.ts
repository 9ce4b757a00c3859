import { PacketType } from '../constants.ts';
import type { PingreqPacket, PingrespPacket } from '../packets.ts';

/** Decodes a PINGREQ (MQTT 5, 3.12): nothing but its type. */
export function readPingreq(): PingreqPacket {
  return { type: PacketType.Pingreq };
}

/** Decodes a PINGRESP (MQTT 5, 3.13): nothing but its type. */
export function readPingresp(): PingrespPacket {
  return { type: PacketType.Pingresp };
}

/** Encodes a PINGREQ or PINGRESP. */
export function encodePing(packet: PingreqPacket | PingrespPacket): Buffer {
  return Buffer.from([packet.type << 4, 0]);
}

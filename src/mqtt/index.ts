/**
 * Level 1: the wire codec for MQTT 3.1, 3.1.1 and 5: bytes ⇄ packets. Pure functions and data; no sockets, no npm.
 *
 *   chunks of bytes → FrameReader → onFrame(bytes, start, bodyStart, end)
 *                     → decodePublish / decodeAck (hot, into a record) or decodePacket (everything)
 *   packets → encodePacket (everything) or publishLength + writePublish / writeAck (hot, into a shared buffer)
 */
export { PacketType, ProtocolVersion, type Qos } from './constants.ts';
export { ReasonCode, reasonName } from './reason-code.ts';
export type * from './packets.ts';
export { FrameReader, type FrameMemory, type FrameSink } from './frame-reader.ts';
export { decodePacket, type DecodeFault } from './decode.ts';
export {
  decodePublish,
  packetIdOffset,
  publishLength,
  PublishRecord,
  writePublish,
  writePublishHead,
} from './packets/publish.ts';
export { createAckRecord, decodeAck, writeAck, type AckRecord } from './packets/ack.ts';
export { encodePacket } from './encode.ts';
export { utf8Length } from './utf8.ts';

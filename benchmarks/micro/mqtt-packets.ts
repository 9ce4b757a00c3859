import type { PublishPacket, PublishProperties } from '#mqtt';

/** What a site's broker puts on a reading. */
export const stampedProperties: PublishProperties = {
  payloadFormat: undefined,
  messageExpiry: undefined,
  topicAlias: undefined,
  responseTopic: undefined,
  correlationData: undefined,
  contentType: undefined,
  userProperties: [
    ['davy-site', 'north'],
    ['davy-received', '1700000000000'],
    ['davy-id', 'lq2x8k0z-1f4'],
  ],
  subscriptionIdentifiers: [],
};

/** A reading of an ordinary size: topic of 30 bytes, payload of 64. */
export function readingPacket(change: Partial<PublishPacket>): PublishPacket {
  return {
    type: 3,
    topic: 'outTopic/23.17.224.11/detect01',
    payload: Buffer.alloc(64, 'Gas Sensor reading '),
    qos: 0,
    retain: false,
    dup: false,
    packetId: 0,
    properties: null,
    ...change,
  };
}

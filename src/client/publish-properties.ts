import type { PublishProperties } from '#mqtt';

const none: readonly never[] = [];

/** A whole record of PUBLISH properties from some of them, in the one shape that all records share. */
export function createPublishProperties(some: Partial<PublishProperties> = {}): PublishProperties {
  return {
    payloadFormat: some.payloadFormat,
    messageExpiry: some.messageExpiry,
    topicAlias: some.topicAlias,
    responseTopic: some.responseTopic,
    correlationData: some.correlationData,
    contentType: some.contentType,
    userProperties: some.userProperties ?? none,
    subscriptionIdentifiers: some.subscriptionIdentifiers ?? none,
  };
}

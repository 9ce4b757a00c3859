import { messageOf } from '#base';
import { ReasonCode, type PublishPacket, type PublishProperties, type Will } from '#mqtt';
import type { Connection } from './connection.ts';
import type { BrokerCore } from './core.ts';
import type { HookMessage, MessageChange, MessageDrop } from './hooks.ts';
import type { Identity } from './ports.ts';

const nothing: PublishProperties = {
  payloadFormat: undefined,
  messageExpiry: undefined,
  topicAlias: undefined,
  responseTopic: undefined,
  correlationData: undefined,
  contentType: undefined,
  userProperties: [],
  subscriptionIdentifiers: [],
};

/**
 * Lets the program around the broker change the packet. 0 = go on; else it is dropped and answered with the reason. Where
 * the hook fails, the connection has ended.
 */
export function transformPacket(connection: Connection, packet: PublishPacket): ReasonCode {
  const { core, identity } = connection;
  const { transform } = core.hooks;
  if (transform === null || identity === null) return ReasonCode.Success;
  let outcome;
  try {
    outcome = transform(packet, identity);
  } catch (error) {
    onHookFault(core, `a message of client ${identity.clientId}`, error);
    connection.disconnect(ReasonCode.ImplementationSpecificError, 'the message could not be handled');
    return ReasonCode.ImplementationSpecificError;
  }
  if (outcome === undefined) return ReasonCode.Success;
  if ('drop' in outcome) return dropByHook(core, packet.topic, identity, outcome);
  if (outcome.payload !== undefined) packet.payload = outcome.payload;
  packet.retain = outcome.retain ?? packet.retain;
  packet.properties = changedProperties(packet.properties, outcome);
  return ReasonCode.Success;
}

/** As for a packet; `null` = the will is not published. */
export function transformWill(core: BrokerCore, will: Will, identity: Identity): Will | null {
  const { transform } = core.hooks;
  if (transform === null) return will;
  const { topic, qos } = will;
  try {
    const message: HookMessage = will;
    const outcome = transform(message, identity);
    if (outcome === undefined) return will;
    if ('drop' in outcome) {
      dropByHook(core, topic, identity, outcome);
      return null;
    }
    const { payload = will.payload, retain = will.retain } = outcome;
    return {
      topic,
      payload,
      qos,
      retain,
      delay: will.delay,
      properties: changedProperties(will.properties, outcome),
    };
  } catch (error) {
    onHookFault(core, `the will of client ${identity.clientId}`, error);
    core.drop('hook', identity.clientId, topic);
    return null;
  }
}

function onHookFault(core: BrokerCore, what: string, error: unknown): void {
  const reason = messageOf(error);
  const text = `hook transform failed on ${what}: ${reason}`;
  core.sparing.error(text, {}, `hook transform failed: ${reason}`);
}

function dropByHook(core: BrokerCore, topic: string, identity: Identity, outcome: MessageDrop): ReasonCode {
  core.drop('hook', identity.clientId, topic);
  core.log.debug(`a message of client ${identity.clientId} is dropped by a hook: ${outcome.drop}`, { topic });
  const { reasonCode = ReasonCode.NoMatchingSubscribers } = outcome;
  return reasonCode === ReasonCode.Success ? ReasonCode.NoMatchingSubscribers : reasonCode;
}

/** Aliases and subscription identifiers belong to connections, so no hook sets them. */
function changedProperties(
  properties: PublishProperties | null,
  { properties: change }: MessageChange,
): PublishProperties | null {
  if (change === undefined) return properties;
  if (change === null) return null;
  return {
    ...nothing,
    ...properties,
    ...change,
    topicAlias: undefined,
    subscriptionIdentifiers: [],
  };
}

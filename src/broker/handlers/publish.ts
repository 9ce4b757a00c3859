import { hasTooManyProperties } from '#model';
import {
  decodePublish,
  PacketType,
  ProtocolVersion,
  ReasonCode,
  reasonName,
  utf8Length,
  type PublishRecord,
} from '#mqtt';
import { clientTopicFault } from '../bounds/topic-bounds.ts';
import type { Connection } from '../connection.ts';
import type { PacketTrace } from '../events.ts';
import { FrameLease } from '../frame-memory.ts';
import { ended } from '../phase.ts';
import { expiryTime, isReservedTopic, Message, messageFault } from '../message.ts';
import { mountedProperties } from '../mount.ts';
import type { Session } from '../sessions/session.ts';
import { stampedProperties } from '../stamp.ts';
import type { Route } from '../subscriptions/router.ts';
import { transformPacket } from '../transform.ts';

/** No client can have more open at once, whatever it thinks of windows. */
const allPacketIds = 65_535;

/** A client that goes on publishing where it may not must not fill the log. */
const refusalLogMs = 10_000;

/**
 * Answers one PUBLISH. The order is a decision: the alias names the topic that is authorised, and what is acknowledged
 * has been recorded. 0, or why the connection ends.
 *
 *   1 resolveAlias  2 validateTopic  3 authorize  4 applyLimits  5 retain  6 route  7 deliver  8 acknowledge
 */
export function onPublish(
  connection: Connection,
  bytes: Buffer,
  start: number,
  bodyStart: number,
  end: number,
): ReasonCode {
  const { core, session, version, last } = connection;
  const packet = core.publishRecord;
  let fault = decodePublish(bytes, start, bodyStart, end, version, packet, last.topic);
  const received = packet.properties;
  if (fault === ReasonCode.Success) fault = findTopic(connection, packet);
  if (fault !== ReasonCode.Success || session === null) return fault;
  if (packet.qos === 2 && session.incoming.has(packet.packetId)) {
    connection.answer(PacketType.Pubrec, packet.packetId, ReasonCode.Success); // a repeat [MQTT-4.3.3-10]
    return ReasonCode.Success;
  }
  let reason = authorize(connection, packet);
  if (core.trace !== null) show(core.trace, connection, packet, reason);
  if (reason === ReasonCode.Success) {
    fault = applyLimits(connection, packet);
    if (fault !== ReasonCode.Success) return fault;
    reason = messageFault(connection.limits, packet.payloadLength, packet);
    if (reason === ReasonCode.ProtocolError) return reason;
    if (packet.qos > 0 && core.disk.isFull) {
      if (core.disk.leavesUnanswered(connection)) return ReasonCode.Success;
      reason = ReasonCode.QuotaExceeded;
    }
    if (reason === ReasonCode.ImplementationSpecificError)
      core.drop('too-large', connection.clientId, packet.topic);
  } else if (packet.qos > 0) connection.openInbound++; // the answer takes it away again
  if (reason === ReasonCode.Success && core.hooks.transform !== null) {
    reason = transformPacket(connection, packet);
    if (connection.isEnding) return ended;
  }
  if (reason === ReasonCode.Success) {
    const lease = packet.isOriginal ? leaseOf(connection, bytes) : null;
    const message = createMessage(connection, packet, lease);
    if (packet.retain) reason = core.retained.store(message, session.source);
    if (reason === ReasonCode.Success) {
      const found = route(connection, packet);
      if (!found.isEmpty) {
        if (
          connection.mountPoint === '' &&
          message.properties === received &&
          message.qos === packet.qos &&
          packet.isOriginal
        ) {
          core.deliverer.offerFrame(connection.version, packet.qos, bytes, start, bodyStart, end);
        }
        core.deliverer.deliver(found, message, connection);
      } else reason = ReasonCode.NoMatchingSubscribers;
      if (core.hooks.published !== null) core.tellPublished(message, connection.identity);
    }
    lease?.release();
  }
  if (reason >= 0x80) refuse(connection, packet, reason);
  return acknowledge(connection, session, packet, reason);
}

/** The frame stands in memory that nobody else reads; `null` = in the socket's chunk. */
function leaseOf({ core, ownsFrame }: Connection, bytes: Buffer): FrameLease | null {
  return ownsFrame ? new FrameLease(core.frames, bytes) : null;
}

function show(trace: PacketTrace, { clientId }: Connection, packet: PublishRecord, reason: ReasonCode): void {
  if (reason === ReasonCode.Success) trace.received(clientId, packet);
  else trace.denied(clientId, packet);
}

/** The packet has its topic, in full, afterwards. 0, or why the connection ends. */
function findTopic(connection: Connection, packet: PublishRecord): ReasonCode {
  let fault = checkFeatures(connection, packet);
  if (fault === ReasonCode.Success) fault = resolveAlias(connection, packet);
  if (fault !== ReasonCode.Success) return fault;
  if (connection.mountPoint !== '') mount(connection, packet);
  return validateTopic(connection, packet);
}

/** What the listener does not offer ends the connection [MQTT-3.2.2-11] [MQTT-3.2.2-14]. */
function checkFeatures(connection: Connection, packet: PublishRecord): ReasonCode {
  if (packet.qos === 0 && !packet.retain) return ReasonCode.Success;
  const { maximumQos = 2, retainAvailable = true } = connection.limits;
  if (packet.qos > maximumQos) return ReasonCode.QosNotSupported;
  return packet.retain && !retainAvailable ? ReasonCode.RetainNotSupported : ReasonCode.Success;
}

/** From here on topics are as the broker knows them. */
function mount({ mountPoint }: Connection, packet: PublishRecord): void {
  if (packet.topic !== '') packet.topic = mountPoint + packet.topic;
  if (packet.properties !== null) packet.properties = mountedProperties(mountPoint, packet.properties);
}

/** An alias stands for a topic that came with it before on this connection [MQTT-3.3.2-12]. */
function resolveAlias(connection: Connection, packet: PublishRecord): ReasonCode {
  const { limits } = connection;
  const { statistics } = connection.core;
  statistics.publishReceived++;
  statistics.publishBytesReceived += packet.payloadLength;
  const { properties } = packet;
  if (properties === null) return ReasonCode.Success;
  if (properties.subscriptionIdentifiers.length > 0) return ReasonCode.ProtocolError; // [MQTT-3.3.4-6]
  if (hasTooManyProperties(properties.userProperties, limits.maximumUserProperties)) {
    statistics.reached['user-properties']++;
    return ReasonCode.QuotaExceeded;
  }
  const alias = properties.topicAlias;
  if (alias === undefined) return ReasonCode.Success;
  if (alias > limits.topicAliasMaximum) {
    statistics.reached['topic-aliases']++;
    return ReasonCode.TopicAliasInvalid; // [MQTT-3.2.2-18]
  }
  connection.incomingAliases ??= [];
  if (packet.topic !== '') connection.incomingAliases[alias] = packet.topic;
  else {
    const topic = connection.incomingAliases[alias];
    if (topic === undefined) return ReasonCode.ProtocolError; // nothing to stand for (3.3.2.3.4)
    packet.topic = topic;
  }
  packet.properties = { ...properties, topicAlias: undefined }; // it belongs to the connection it came on
  return ReasonCode.Success;
}

/** The topic of the packet before needs no second look. */
function validateTopic(connection: Connection, packet: PublishRecord): ReasonCode {
  if (packet.topic !== '' && packet.topic === connection.last.topic) return ReasonCode.Success;
  if (packet.topic === '' && connection.version === ProtocolVersion.V5) return ReasonCode.ProtocolError; // no alias
  return clientTopicFault(connection, packet.topic); // [MQTT-3.3.2-2] [MQTT-4.7.3-1]
}

/** What was allowed for the topic of the packet before is allowed while the rules stand. `$SYS` is the broker's own. */
function authorize(connection: Connection, packet: PublishRecord): ReasonCode {
  const { last, identity } = connection;
  const { authorizer } = connection.profile;
  const { generation } = authorizer;
  if (packet.topic === last.topic && last.accessGeneration === generation) return ReasonCode.Success;
  if (identity === null || isReservedTopic(packet.topic)) return ReasonCode.NotAuthorized;
  if (!authorizer.mayPublish(identity, packet.topic)) return ReasonCode.NotAuthorized;
  if (packet.topic !== last.topic) {
    last.topic = packet.topic;
    last.topicLength = utf8Length(packet.topic);
    last.routeGeneration = -1;
  }
  last.accessGeneration = generation;
  return ReasonCode.Success;
}

/**
 * Takes its place in the receive window at once, before anything could wait [MQTT-3.3.4-7]. 3.1.1 knows no window, and
 * some clients of MQTT 5 do not keep to it; what they have open costs a bit each, so they may have as many as there are.
 */
function applyLimits(connection: Connection, packet: PublishRecord): ReasonCode {
  if (packet.qos === 0) return ReasonCode.Success;
  const { receiveMaximum, receiveMaximumStrict } = connection.limits;
  const isStrict = receiveMaximumStrict && connection.version === ProtocolVersion.V5;
  if (connection.openInbound >= (isStrict ? receiveMaximum : allPacketIds)) {
    connection.core.statistics.reached['receive-window']++;
    return ReasonCode.ReceiveMaximumExceeded;
  }
  connection.openInbound++;
  return ReasonCode.Success;
}

function createMessage(connection: Connection, packet: PublishRecord, lease: FrameLease | null): Message {
  const { core, last } = connection;
  const { stampSite, minimumQos } = connection.profile;
  const properties =
    stampSite === null
      ? packet.properties
      : stampedProperties(core, stampSite, packet.properties, packet.dup);
  const { topic, retain } = packet;
  let { qos } = packet;
  if (qos < minimumQos) {
    // What cannot be kept goes on as it came: to those who are there.
    if (core.disk.isFull) core.drop('journal-full', connection.clientId, topic);
    else qos = minimumQos;
  }
  const expiresAt = properties === null ? 0 : expiryTime(properties, core.now);
  return new Message(
    topic,
    last.topicLength,
    packet.bytes,
    qos,
    retain,
    properties,
    connection.clientId,
    expiresAt,
    lease,
    packet.payloadStart,
    packet.payloadLength,
  );
}

/** Who gets it; as for the packet before when topic and subscriptions are the same. */
function route(connection: Connection, packet: PublishRecord): Route {
  const { last } = connection;
  const { router } = connection.core;
  if (last.route !== null && last.routeGeneration === router.generation) return last.route;
  last.route = router.route(packet.topic);
  last.routeGeneration = router.generation;
  return last.route;
}

/** A message that is refused is counted and told in the log: before MQTT 5 its sender cannot be told. */
function refuse(connection: Connection, packet: PublishRecord, reason: ReasonCode): void {
  const { core } = connection;
  core.statistics.publishRefused++;
  if (reason === ReasonCode.NotAuthorized) core.drop('not-authorized', connection.clientId, packet.topic);
  if (core.now - connection.lastRefusalLogged < refusalLogMs) return;
  connection.lastRefusalLogged = core.now;
  const text = `a message of client ${connection.clientId} is refused: ${reasonName(reason)}`;
  core.sparing.notice(text, { topic: packet.topic }, `a message is refused: ${reasonName(reason)}`);
}

/**
 * PUBACK or PUBREC with the reason. Before MQTT 5 there is none: the message is acknowledged all the same, or its
 * sender would repeat it for ever (3.1.1: [MQTT-3.3.5-2] leaves that or the end of the connection).
 */
function acknowledge(
  connection: Connection,
  session: Session,
  packet: PublishRecord,
  reason: ReasonCode,
): ReasonCode {
  const { qos, packetId } = packet;
  if (qos === 0) return ReasonCode.Success;
  const answer = connection.version === ProtocolVersion.V5 ? reason : ReasonCode.Success;
  if (qos === 1) {
    connection.answer(PacketType.Puback, packetId, answer); // [MQTT-4.3.2-4]
    return ReasonCode.Success;
  }
  if (answer < 0x80) {
    session.incoming.add(packetId);
    if (session.isPersistent) connection.core.journal.recordIncoming(session.clientId, packetId);
  }
  connection.answer(PacketType.Pubrec, packetId, answer); // [MQTT-4.3.3-8]
  return ReasonCode.Success;
}

import { randomBytes, randomUUID } from 'node:crypto';
import { ProtocolVersion, ReasonCode, type ConnectPacket, type Will } from '#mqtt';
import { clientTopicFault } from '../bounds/topic-bounds.ts';
import type { Connection } from '../connection.ts';
import { isReservedTopic, messageFault } from '../message.ts';

/** What is wrong with what CONNECT says, before anybody is asked who the client is; 0 = nothing. */
export function checkConnect(connection: Connection, packet: ConnectPacket): ReasonCode {
  const { core, limits, profile } = connection;
  if (core.isClosing) return ReasonCode.ServerShuttingDown;
  if (limits.acceptedVersions?.includes(packet.version) === false)
    return ReasonCode.UnsupportedProtocolVersion; // [MQTT-3.1.2-2]
  const { authenticationMethod: method, userProperties } = packet.properties;
  if (method !== undefined && profile.enhancedAuthenticator?.methods.includes(method) !== true)
    return ReasonCode.BadAuthenticationMethod; // [MQTT-4.12.0-1]
  if (!connection.mayHaveUserProperties(userProperties)) return ReasonCode.QuotaExceeded;
  if (packet.clientId === '' && !mayBeNameless(connection, packet))
    return ReasonCode.ClientIdentifierNotValid;
  if (isTooLongSilent(connection, packet)) return ReasonCode.ClientIdentifierNotValid;
  return packet.will === null ? ReasonCode.Success : checkWill(connection, packet.will);
}

/** 3.1 has no empty id; 3.1.1 only with a clean session [MQTT-3.1.3-8]. */
function mayBeNameless({ limits }: Connection, { version, cleanStart }: ConnectPacket): boolean {
  if (limits.allowEmptyClientId === false || version === ProtocolVersion.V31) return false;
  return version === ProtocolVersion.V5 || cleanStart;
}

/** Before MQTT 5 a client cannot be told a shorter keep-alive; where that is asked for it is refused, as Mosquitto does. */
function isTooLongSilent({ limits }: Connection, { version, keepAlive }: ConnectPacket): boolean {
  const { maximumKeepAliveSeconds: longest, refusesLongKeepAlive = false } = limits;
  if (!refusesLongKeepAlive || longest === 0 || version === ProtocolVersion.V5) return false;
  return keepAlive === 0 || keepAlive > longest;
}

/** Of a will whose topics are mounted. */
function checkWill(connection: Connection, will: Will): ReasonCode {
  const { maximumQos = 2, retainAvailable = true } = connection.limits;
  if (will.qos > maximumQos) return ReasonCode.QosNotSupported; // [MQTT-3.2.2-12]
  if (will.retain && !retainAvailable) return ReasonCode.RetainNotSupported; // [MQTT-3.2.2-13]
  if (isReservedTopic(will.topic)) return ReasonCode.NotAuthorized;
  if (!connection.mayHaveUserProperties(will.properties?.userProperties)) return ReasonCode.QuotaExceeded;
  const fault = messageFault(connection.limits, will.payload.length, will);
  if (fault !== ReasonCode.Success) return fault;
  return clientTopicFault(connection, will.topic);
}

/** The id of the client, or one that is given to it [MQTT-3.1.3-6]; `null` = this listener takes no such id. */
export function chooseClientId(connection: Connection, packet: ConnectPacket): string | null {
  const { limits, profile, transport } = connection;
  const given = packet.clientId === '' ? assignedId(limits.assignedClientIdPrefix) : packet.clientId;
  const { clientIdPrefixes = [] } = limits;
  if (clientIdPrefixes.length > 0 && !clientIdPrefixes.some((prefix) => given.startsWith(prefix)))
    return null;
  if (limits.usernameAsClientId === true && packet.username !== undefined) return packet.username;
  return profile.sharedClientIds.has(given) ? `${given}@${transport.peer.address}` : given;
}

/** With a prefix in Mosquitto's form: `auto-0D3A…`. */
function assignedId(prefix: string | undefined): string {
  if (prefix === undefined) return `davylamp-${randomBytes(12).toString('hex')}`;
  return prefix + randomUUID().toUpperCase();
}

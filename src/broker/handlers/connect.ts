import { randomBytes } from 'node:crypto';
import { messageOf } from '#base';
import {
  PacketType,
  ProtocolVersion,
  ReasonCode,
  reasonName,
  type ConnackPacket,
  type ConnackProperties,
  type ConnectPacket,
  type DecodeFault,
  type Will,
} from '#mqtt';
import { topicNameFault } from '#topics';
import { ended, PauseReason, Phase, type Connection } from '../connection.ts';
import { clientTopicFault } from '../bounds/topic-bounds.ts';
import { OutgoingAliases } from '../delivery/outgoing-aliases.ts';
import type { BrokerCore } from '../core.ts';
import { isReservedTopic, messageFault } from '../message.ts';
import type { AuthenticationResult, Identity, Redirect } from '../ports.ts';
import { redirectCode } from '../redirect.ts';
import { beginAuthentication } from './auth.ts';
import { narrowBlindWindow } from './blind-window.ts';

/** What CONNACK says that the client could not know. */
type Assigned = Pick<
  ConnackProperties,
  'assignedClientIdentifier' | 'serverKeepAlive' | 'responseInformation'
>;

/** What CONNACK ends an enhanced authentication with [MQTT-4.12.0-5]. */
type Proof = Pick<ConnackProperties, 'authenticationMethod' | 'authenticationData'>;

/** Without a method in CONNECT there is none in CONNACK [MQTT-4.12.0-6]. */
const noProof: Proof = {};

/**
 * Answers CONNECT: 1 check what it says, 2 authenticate (may take a while: nothing is read meanwhile), 3 authorise its
 * session and will, 4 give it its session, 5 CONNACK [MQTT-3.1.4-5], 6 send what waits.
 */
export function onConnect(connection: Connection, packet: ConnectPacket): ReasonCode {
  connection.version = packet.version;
  connection.isBridge = packet.bridge;
  // Every answer from now on has to fit [MQTT-3.1.2-24].
  connection.maximumPacketSize = packet.properties.maximumPacketSize ?? Infinity;
  connection.wantsReasons = packet.properties.requestProblemInformation ?? true;
  const fault = checkConnect(connection, packet);
  if (fault !== ReasonCode.Success) return refuse(connection, fault, reasonName(fault));
  const clientId = chooseClientId(connection, packet);
  if (!connection.core.flapping.mayConnect(clientId, connection.transport.peer.address))
    return turnAway(connection, ReasonCode.Banned);
  if (packet.properties.authenticationMethod !== undefined)
    return authenticateByMethod(connection, packet, clientId);
  const { username, password } = packet;
  const { peer } = connection.transport;
  const outcome = connection.profile.authenticator.authenticate({ clientId, username, password, peer });
  if (!(outcome instanceof Promise)) return onAuthenticated(connection, packet, clientId, outcome);
  waitFor(connection, outcome, (result) => onAuthenticated(connection, packet, clientId, result));
  return ReasonCode.Success;
}

/** The method alone decides: user name and password of CONNECT are left to it. */
function authenticateByMethod(connection: Connection, packet: ConnectPacket, clientId: string): ReasonCode {
  const { username, password, properties } = packet;
  const { peer } = connection.transport;
  const { authenticationMethod: method = '', authenticationData } = properties;
  const credentials = { clientId, username, password, peer };
  return beginAuthentication(connection, credentials, method, authenticationData, (step) => {
    if (step.kind === 'failure') return refuse(connection, step.reasonCode, step.detail);
    const proof =
      step.data === undefined
        ? { authenticationMethod: method }
        : { authenticationMethod: method, authenticationData: step.data };
    const result = { reasonCode: ReasonCode.Success, name: step.name };
    return onAuthenticated(connection, packet, clientId, result, proof);
  });
}

/** A CONNECT that cannot be read is answered as far as its version is known [MQTT-3.1.2-2] [MQTT-3.1.4-1]. */
export function onUnreadableConnect(connection: Connection, fault: DecodeFault): ReasonCode {
  connection.core.statistics.protocolErrors++;
  const isNewer = fault.protocolLevel >= ProtocolVersion.V5;
  connection.version = isNewer ? ProtocolVersion.V5 : ProtocolVersion.V311;
  return refuse(connection, fault.reasonCode, fault.detail);
}

function checkConnect(connection: Connection, packet: ConnectPacket): ReasonCode {
  const { core, profile } = connection;
  if (core.isClosing) return ReasonCode.ServerShuttingDown;
  const { authenticationMethod: method } = packet.properties;
  if (method !== undefined && profile.enhancedAuthenticator?.methods.includes(method) !== true)
    return ReasonCode.BadAuthenticationMethod; // [MQTT-4.12.0-1]
  if (packet.clientId === '') {
    // 3.1 has no empty id; 3.1.1 only with a clean session [MQTT-3.1.3-8].
    if (packet.version === ProtocolVersion.V31) return ReasonCode.ClientIdentifierNotValid;
    if (packet.version === ProtocolVersion.V311 && !packet.cleanStart)
      return ReasonCode.ClientIdentifierNotValid;
  }
  return packet.will === null ? ReasonCode.Success : checkWill(core, packet.will);
}

function checkWill(core: BrokerCore, will: Will): ReasonCode {
  if (isReservedTopic(will.topic)) return ReasonCode.NotAuthorized;
  const fault = messageFault(core.limits, will.payload, will.properties);
  if (fault !== ReasonCode.Success) return fault;
  return clientTopicFault(core, will.topic);
}

function chooseClientId(connection: Connection, packet: ConnectPacket): string {
  const { clientId } = packet;
  if (clientId === '') return `davylamp-${randomBytes(12).toString('hex')}`; // [MQTT-3.1.3-6]
  const isShared = connection.profile.sharedClientIds.has(clientId);
  return isShared ? `${clientId}@${connection.transport.peer.address}` : clientId;
}

/** A named async border: what arrives meanwhile waits, unread. */
function waitFor(
  connection: Connection,
  outcome: Promise<AuthenticationResult>,
  next: (result: AuthenticationResult) => ReasonCode,
): void {
  connection.phase = Phase.Authenticating;
  connection.pause(PauseReason.Authenticating);
  const proceed = (result: AuthenticationResult): void => {
    if (connection.isEnding) return;
    connection.run(() => next(result));
    connection.unpause(PauseReason.Authenticating);
  };
  outcome.then(proceed, (error: unknown) => {
    connection.core.log.error(`sign-in of a client failed: ${messageOf(error)}`, {
      listener: connection.profile.name,
    });
    proceed({ reasonCode: ReasonCode.ServerUnavailable, detail: 'sign-in is not available' });
  });
}

function onAuthenticated(
  connection: Connection,
  packet: ConnectPacket,
  clientId: string,
  result: AuthenticationResult,
  proof: Proof = noProof,
): ReasonCode {
  if (result.reasonCode !== ReasonCode.Success || !('name' in result)) {
    const { reasonCode } = result;
    const detail = 'detail' in result ? result.detail : 'sign-in gave no name';
    return refuse(
      connection,
      reasonCode === ReasonCode.Success ? ReasonCode.NotAuthorized : reasonCode,
      detail,
    ); // [MQTT-3.1.4-2]
  }
  const { lifecycle } = connection.core;
  const { authorizer } = connection.profile;
  const identity: Identity = { name: result.name, clientId };
  if (!lifecycle.mayTake(identity)) {
    return refuse(connection, ReasonCode.NotAuthorized, 'the session belongs to another user');
  }
  if (packet.will !== null && !authorizer.mayPublish(identity, packet.will.topic)) {
    return refuse(connection, ReasonCode.NotAuthorized, 'the will may not be published');
  }
  const redirect = connection.core.redirect?.(identity) ?? null;
  if (redirect !== null) {
    return refuse(connection, redirectCode(redirect), 'it is sent to another broker', redirect);
  }
  const expirySeconds = sessionExpiry(connection, packet);
  if (!hasRoom(connection, identity, expirySeconds)) {
    return refuse(
      connection,
      // Before MQTT 5 a quota has no return code; without any the client could not know that it may come again.
      packet.version === ProtocolVersion.V5 ? ReasonCode.QuotaExceeded : ReasonCode.ServerUnavailable,
      'there are as many sessions, or connections of its user, as are allowed',
    );
  }
  const assigned = applyConnect(connection, packet, clientId);
  const connack = connackOf(connection, packet, expirySeconds, { ...assigned, ...proof });
  if (!connection.fits(connack)) {
    return refuse(connection, ReasonCode.PacketTooLarge, 'its maximum packet size is too small for CONNACK');
  }
  const isResumed = lifecycle.attach(connection, identity, packet, expirySeconds);
  connection.isResumed = isResumed;
  for (const { options } of connection.session?.subscriptions.values() ?? [])
    narrowBlindWindow(connection, options.qos);
  connection.connectExpirySeconds = expirySeconds;
  connection.will = packet.will;
  // [MQTT-3.2.2-2] [MQTT-3.2.2-3]; MQTT 3.1 has no such flag.
  connection.send({ ...connack, sessionPresent: isResumed && packet.version !== ProtocolVersion.V31 });
  connection.phase = Phase.Connected;
  lifecycle.announce(connection);
  if (connection.session !== null) connection.core.deliverer.pump(connection.session);
  return ReasonCode.Success;
}

/** Within the bounds of all sessions and of its user's connections; from then on it has its identity. */
function hasRoom(connection: Connection, identity: Identity, expirySeconds: number): boolean {
  const { admission, limits, sessions, statistics } = connection.core;
  const { maximumSessions: bound = 0 } = limits;
  const isNew = sessions.get(identity.clientId) === undefined;
  // Sessions that end with their connection are bounded by the connections.
  if (bound > 0 && expirySeconds > 0 && isNew && sessions.size >= bound) {
    statistics.reached.sessions++;
    return false;
  }
  return admission.signIn(connection, identity);
}

/** Seconds. Before MQTT 5 a session that is not clean has no end; here it has the longest that is allowed. */
function sessionExpiry(connection: Connection, packet: ConnectPacket): number {
  const { maximumSessionExpirySeconds } = connection.core.limits;
  if (packet.version !== ProtocolVersion.V5) return packet.cleanStart ? 0 : maximumSessionExpirySeconds;
  return Math.min(packet.properties.sessionExpiry ?? 0, maximumSessionExpirySeconds);
}

/** Takes over what the client asked for; gives back what CONNACK has to tell it. */
function applyConnect(connection: Connection, packet: ConnectPacket, clientId: string): Assigned {
  const { limits } = connection.core;
  const { properties } = packet;
  connection.sendWindow = Math.min(properties.receiveMaximum ?? 65_535, limits.maximumInflight);
  connection.limitsPacketSize = properties.maximumPacketSize !== undefined;
  const aliases = properties.topicAliasMaximum ?? 0;
  connection.aliases = aliases > 0 ? new OutgoingAliases(aliases) : null;
  connection.readPacketsUpTo(limits.maximumPacketSize);

  const assigned: { -readonly [K in keyof Assigned]: Assigned[K] } = {};
  if (packet.version === ProtocolVersion.V5 && packet.clientId === '') {
    assigned.assignedClientIdentifier = clientId; // [MQTT-3.1.3-7] [MQTT-3.2.2-16]
  }
  let keepAlive = packet.keepAlive;
  const longest = limits.maximumKeepAliveSeconds;
  if (packet.version === ProtocolVersion.V5 && longest > 0 && (keepAlive === 0 || keepAlive > longest)) {
    keepAlive = longest; // [MQTT-3.1.2-21]
    assigned.serverKeepAlive = longest;
  }
  const { responsePrefix = null } = limits;
  if (properties.requestResponseInformation === true && responsePrefix !== null) {
    const base = `${responsePrefix}/${clientId}`; // only on request [MQTT-3.1.2-28]
    if (topicNameFault(base, limits.maximumTopicLevels) === ReasonCode.Success)
      assigned.responseInformation = base;
  }
  connection.keepAliveMs = keepAlive * 1500; // one and a half times [MQTT-3.1.2-22]; 3.1.1: [MQTT-3.1.2-24]
  return assigned;
}

/** CONNACK for a new session. */
function connackOf(
  connection: Connection,
  packet: ConnectPacket,
  expirySeconds: number,
  assigned: Assigned & Proof,
): ConnackPacket {
  const { limits } = connection.core;
  const isV5 = packet.version === ProtocolVersion.V5;
  const properties: ConnackProperties = {
    receiveMaximum: limits.receiveMaximum,
    maximumPacketSize: limits.maximumPacketSize,
    topicAliasMaximum: limits.topicAliasMaximum,
    ...((packet.properties.sessionExpiry ?? 0) === expirySeconds ? {} : { sessionExpiry: expirySeconds }),
    ...assigned,
  };
  return {
    type: PacketType.Connack,
    sessionPresent: false,
    reasonCode: ReasonCode.Success,
    properties: isV5 ? properties : {},
  };
}

/** Says in the log who is refused and why, then does it. */
function refuse(
  connection: Connection,
  reasonCode: ReasonCode,
  detail: string,
  redirect: Redirect | null = null,
): ReasonCode {
  connection.core.log.notice(`a client is refused: ${detail}`, {
    listener: connection.profile.name,
    address: connection.transport.peer.address,
    reason: reasonName(reasonCode),
  });
  return turnAway(connection, reasonCode, redirect);
}

/** CONNACK with the reason, as far as the version knows it, then the end [MQTT-3.2.2-6] [MQTT-3.2.2-7]. */
function turnAway(
  connection: Connection,
  reasonCode: ReasonCode,
  redirect: Redirect | null = null,
): ReasonCode {
  connection.core.statistics.connectionsRefused++;
  const isV5 = connection.version === ProtocolVersion.V5;
  const code = isV5 ? reasonCode : returnCode(reasonCode);
  if (code !== 0) {
    // The detail stays in the log: it may be more than a stranger should know.
    const properties: ConnackProperties = {
      ...(isV5 ? { reasonString: reasonName(reasonCode) } : {}),
      ...(redirect === null ? {} : { serverReference: redirect.serverReference }),
    };
    connection.send({ type: PacketType.Connack, sessionPresent: false, reasonCode: code, properties });
  }
  connection.close('discard will', reasonName(reasonCode));
  return ended;
}

/** The return code of CONNACK before MQTT 5 (3.1.1, table 3.1); 0 = there is none, the connection just ends. */
function returnCode(reasonCode: ReasonCode): number {
  switch (reasonCode) {
    case ReasonCode.UnsupportedProtocolVersion:
      return 1;
    case ReasonCode.ClientIdentifierNotValid:
      return 2;
    case ReasonCode.ServerUnavailable:
    case ReasonCode.ServerBusy:
    case ReasonCode.ServerShuttingDown:
    case ReasonCode.UseAnotherServer:
    case ReasonCode.ServerMoved:
      return 3;
    case ReasonCode.BadUserNameOrPassword:
      return 4;
    case ReasonCode.NotAuthorized:
    case ReasonCode.Banned:
    case ReasonCode.BadAuthenticationMethod:
      return 5;
    default:
      return 0;
  }
}

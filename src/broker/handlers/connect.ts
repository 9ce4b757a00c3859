import { bridgeProperty } from '#model';
import {
  PacketType,
  ProtocolVersion,
  ReasonCode,
  reasonName,
  utf8Length,
  type ConnackPacket,
  type ConnackProperties,
  type ConnectPacket,
  type DecodeFault,
} from '#mqtt';
import { topicNameFault } from '#topics';
import type { Connection } from '../connection.ts';
import { encodeFitting } from '../delivery/encode-fitting.ts';
import { OutgoingAliases } from '../delivery/outgoing-aliases.ts';
import { mountedWill } from '../mount.ts';
import { localAddress } from '../bounds/admission.ts';
import { PauseReason, Phase } from '../phase.ts';
import type { AuthenticationResult, Identity } from '../ports.ts';
import { redirectCode } from '../redirect.ts';
import { isStillWelcome } from '../welcome.ts';
import { beginAuthentication, tellSignInFault } from './auth.ts';
import { narrowBlindWindow } from './blind-window.ts';
import { checkConnect, chooseClientId } from './check-connect.ts';
import { refuse, turnAway } from './refuse.ts';

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
export function onConnect(connection: Connection, received: ConnectPacket): ReasonCode {
  const { will } = received;
  const packet =
    will === null || connection.mountPoint === ''
      ? received
      : { ...received, will: mountedWill(connection.mountPoint, will) };
  connection.core.statistics.connectsReceived++;
  connection.version = packet.version;
  connection.isBridge = packet.bridge;
  // Every answer from now on has to fit [MQTT-3.1.2-24].
  connection.maximumPacketSize = packet.properties.maximumPacketSize ?? Infinity;
  connection.wantsReasons = packet.properties.requestProblemInformation ?? true;
  const fault = checkConnect(connection, packet);
  if (fault !== ReasonCode.Success) return refuse(connection, fault, reasonName(fault));
  const clientId = chooseClientId(connection, packet);
  if (clientId === null)
    return refuse(connection, ReasonCode.NotAuthorized, 'its client id begins with none of the prefixes');
  connection.claimedId = clientId;
  const { core, limits, transport } = connection;
  if (!core.flapping.mayConnect(clientId, transport.peer.address, limits))
    return turnAway(connection, ReasonCode.Banned);
  if (packet.properties.authenticationMethod !== undefined)
    return authenticateByMethod(connection, packet, clientId);
  const { username, password } = packet;
  const { peer } = connection.transport;
  const isWaiting = (): boolean => !connection.isEnding;
  const credentials = { clientId, username, password, peer, isWaiting };
  const outcome = connection.profile.authenticator.authenticate(credentials);
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
    const { name, ticket = '' } = step;
    const result = { reasonCode: ReasonCode.Success, name, ticket };
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
    tellSignInFault(connection, error);
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
    if (reasonCode === ReasonCode.ServerBusy) connection.core.statistics.reached['sign-ins']++;
    const detail = 'detail' in result ? result.detail : 'sign-in gave no name';
    return refuse(
      connection,
      reasonCode === ReasonCode.Success ? ReasonCode.NotAuthorized : reasonCode,
      detail,
    ); // [MQTT-3.1.4-2]
  }
  const { lifecycle } = connection.core;
  const { authorizer } = connection.profile;
  const { name } = result;
  if (connection.limits.usernameAsClientId === true) {
    if (name === null || name === '')
      return refuse(connection, ReasonCode.NotAuthorized, 'it has no user name to be its client id');
    clientId = name;
  }
  const identity: Identity = { name, clientId };
  connection.ticket = result.ticket ?? '';
  if (!lifecycle.mayTake(identity)) {
    return refuse(connection, ReasonCode.NotAuthorized, 'the session belongs to another user');
  }
  const mustPublishWill = packet.will !== null && connection.limits.forbiddenWill !== 'drop';
  if (mustPublishWill && !authorizer.mayPublish(identity, packet.will.topic)) {
    return refuse(connection, ReasonCode.NotAuthorized, 'the will may not be published');
  }
  // The rules may have changed while it was verified.
  if (!isStillWelcome(connection.profile, identity, connection.ticket))
    return refuse(connection, ReasonCode.NotAuthorized, 'it may not sign in any more');
  const redirect = connection.core.redirect?.(identity) ?? null;
  if (redirect !== null) {
    return refuse(connection, redirectCode(redirect), 'it is sent to another broker', redirect);
  }
  return letIn(connection, packet, identity, proof);
}

/** Gives the client its session and says so, if there is room for one. */
function letIn(connection: Connection, packet: ConnectPacket, identity: Identity, proof: Proof): ReasonCode {
  const { lifecycle } = connection.core;
  const expirySeconds = sessionExpiry(connection, packet);
  if (!hasRoom(connection, identity, expirySeconds)) {
    return refuse(
      connection,
      // Before MQTT 5 a quota has no return code; without any the client could not know that it may come again.
      packet.version === ProtocolVersion.V5 ? ReasonCode.QuotaExceeded : ReasonCode.ServerUnavailable,
      'there are as many sessions, or connections of its user, as are allowed, or as the memory has room for',
    );
  }
  const assigned = applyConnect(connection, packet, identity.clientId);
  const connack = connackOf(connection, packet, expirySeconds, { ...assigned, ...proof });
  if (encodeFitting(connack, connection) === null) {
    return refuse(connection, ReasonCode.PacketTooLarge, 'its maximum packet size is too small for CONNACK');
  }
  const isResumed = lifecycle.attach(connection, identity, packet, expirySeconds);
  connection.isResumed = isResumed;
  for (const { options } of connection.session?.subscriptions.values() ?? [])
    narrowBlindWindow(connection, options.qos);
  connection.connectExpirySeconds = expirySeconds;
  connection.will = packet.will;
  lifecycle.tellConnected(connection, packet);
  // [MQTT-3.2.2-2] [MQTT-3.2.2-3]; MQTT 3.1 has no such flag.
  connection.send({ ...connack, sessionPresent: isResumed && packet.version !== ProtocolVersion.V31 });
  connection.phase = Phase.Connected;
  lifecycle.announce(connection);
  if (connection.session !== null) connection.core.deliverer.pump(connection.session);
  return ReasonCode.Success;
}

/** Within the bounds of all sessions and of its user's connections; from then on it has its identity. */
function hasRoom(connection: Connection, identity: Identity, expirySeconds: number): boolean {
  const { admission, limits, memory, sessions, statistics } = connection.core;
  const { maximumSessions: bound = 0 } = limits;
  const isNew = sessions.get(identity.clientId) === undefined;
  // Sessions that end with their connection are bounded by the connections.
  if (bound > 0 && expirySeconds > 0 && isNew && sessions.size >= bound) {
    statistics.reached.sessions++;
    return false;
  }
  if (memory.isKeptFull && expirySeconds > 0 && isNew && connection.transport.peer.address !== localAddress) {
    statistics.reached['memory-kept']++;
    return false;
  }
  return admission.signIn(connection, identity);
}

/** Seconds. Before MQTT 5 a session that is not clean has no end; here it has the longest that is allowed. */
function sessionExpiry(connection: Connection, packet: ConnectPacket): number {
  const { maximumSessionExpirySeconds } = connection.limits;
  if (packet.version !== ProtocolVersion.V5) return packet.cleanStart ? 0 : maximumSessionExpirySeconds;
  return Math.min(packet.properties.sessionExpiry ?? 0, maximumSessionExpirySeconds);
}

/** Takes over what the client asked for; gives back what CONNACK has to tell it. */
function applyConnect(connection: Connection, packet: ConnectPacket, clientId: string): Assigned {
  const { limits } = connection;
  const { properties } = packet;
  connection.sendWindow = Math.min(properties.receiveMaximum ?? 65_535, limits.maximumInflight);
  connection.limitsPacketSize = properties.maximumPacketSize !== undefined;
  connection.aliases = OutgoingAliases.create(properties.topicAliasMaximum ?? 0, limits);
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
    const isShort = utf8Length(base) <= limits.maximumTopicLength;
    if (isShort && topicNameFault(base, limits.maximumTopicLevels) === ReasonCode.Success)
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
  const { receiveMaximum, maximumPacketSize, topicAliasMaximum, maximumQos = 2 } = connection.limits;
  const isV5 = packet.version === ProtocolVersion.V5;
  const properties: ConnackProperties = {
    ...(topicAliasMaximum === 0 ? {} : { topicAliasMaximum }),
    receiveMaximum,
    maximumPacketSize,
    ...(maximumQos === 2 ? {} : { maximumQos }), // [MQTT-3.2.2-9]
    ...(connection.limits.retainAvailable === false ? { retainAvailable: false } : {}), // [MQTT-3.2.2-13]
    ...((packet.properties.sessionExpiry ?? 0) === expirySeconds ? {} : { sessionExpiry: expirySeconds }),
    ...assigned,
    ...nameForBridge(connection, packet),
  };
  return {
    type: PacketType.Connack,
    sessionPresent: false,
    reasonCode: ReasonCode.Success,
    properties: isV5 ? properties : {},
  };
}

/** A bridge that says whose it is hears whom it speaks to: so it knows its own messages when they come back. */
function nameForBridge(
  { core }: Connection,
  { properties }: ConnectPacket,
): Pick<ConnackProperties, 'userProperties'> {
  const isAsked = properties.userProperties?.some(([name]) => name === bridgeProperty.broker) ?? false;
  return isAsked ? { userProperties: [[bridgeProperty.broker, core.linkName]] } : {};
}

import { messageOf } from '#base';
import { PacketType, ReasonCode, reasonName, type AuthPacket } from '#mqtt';
import type { Connection } from '../connection.ts';
import { ended, PauseReason, Phase } from '../phase.ts';
import type { AuthenticationExchange, AuthenticationStep, Credentials } from '../ports.ts';

/** How a run at CONNECT ends: with a name, or with a reason. Gives what a handler gives. */
export type OnSignedIn = (step: Exclude<AuthenticationStep, { kind: 'continue' }>) => ReasonCode;

/** The authentication method of one connection, which stays the same for its life [MQTT-4.12.1-1]. */
export class Authentication {
  readonly method: string;
  readonly credentials: Credentials;
  readonly onSignedIn: OnSignedIn;
  /** The run that goes on; `null` between two. */
  exchange: AuthenticationExchange | null = null;
  /** Monotonic time at which it began. */
  startedAt = 0;
  /** Its next step is being worked out: it is not the client's turn. */
  isWorking = false;

  constructor(method: string, credentials: Credentials, onSignedIn: OnSignedIn) {
    this.method = method;
    this.credentials = credentials;
    this.onSignedIn = onSignedIn;
  }
}

/** CONNECT named a method that the listener knows: the first step of its run. `onSignedIn` hears of the outcome. */
export function beginAuthentication(
  connection: Connection,
  credentials: Credentials,
  method: string,
  data: Buffer | undefined,
  onSignedIn: OnSignedIn,
): ReasonCode {
  const authentication = new Authentication(method, credentials, onSignedIn);
  connection.authentication = authentication;
  connection.phase = Phase.Authenticating;
  return begin(connection, authentication, data);
}

/** AUTH before CONNACK: the answer to ours, and nothing else [MQTT-4.12.0-3] [MQTT-4.12.0-5]. */
export function onEarlyAuth(connection: Connection, packet: AuthPacket): ReasonCode {
  const { authentication } = connection;
  if (authentication === null || packet.reasonCode !== ReasonCode.ContinueAuthentication)
    return ReasonCode.ProtocolError;
  if (packet.properties.authenticationMethod !== authentication.method)
    return fail(connection, authentication, ReasonCode.BadAuthenticationMethod, 'another method than before');
  return advance(connection, authentication, packet.properties.authenticationData);
}

/**
 * AUTH of a client that is signed in: it begins another run of its method, or goes on with it (MQTT 5, 4.12.1). Other
 * packets are handled meanwhile as if nothing were. Without a method in CONNECT it has no place [MQTT-4.12.0-7].
 */
export function onAuth(connection: Connection, packet: AuthPacket): ReasonCode {
  const { authentication } = connection;
  if (authentication === null) return ReasonCode.ProtocolError;
  const { authenticationMethod, authenticationData } = packet.properties;
  if (packet.reasonCode === ReasonCode.Success) return ReasonCode.ProtocolError; // only a server says that
  if (authenticationMethod !== authentication.method)
    return fail(connection, authentication, ReasonCode.BadAuthenticationMethod, 'another method than before'); // [MQTT-4.12.1-1]
  const isBeginning = packet.reasonCode === ReasonCode.ReAuthenticate;
  if (isBeginning !== (authentication.exchange === null) || authentication.isWorking)
    return ReasonCode.ProtocolError;
  return isBeginning
    ? begin(connection, authentication, authenticationData)
    : advance(connection, authentication, authenticationData);
}

/** Ends a run that takes longer than `connectTimeoutMs`. */
export function checkAuthenticationTime(connection: Connection, now: number): void {
  const { authentication } = connection;
  if (connection.isEnding || authentication === null || authentication.exchange === null) return;
  if (now - authentication.startedAt < connection.limits.connectTimeoutMs) return;
  fail(connection, authentication, ReasonCode.NotAuthorized, 'authentication took too long');
}

function begin(connection: Connection, authentication: Authentication, data: Buffer | undefined): ReasonCode {
  const { method, credentials } = authentication;
  authentication.startedAt = connection.core.clock.monotonic();
  try {
    authentication.exchange = connection.profile.enhancedAuthenticator?.begin(method, credentials) ?? null;
  } catch (error) {
    return onFault(connection, authentication, error);
  }
  return advance(connection, authentication, data);
}

function advance(
  connection: Connection,
  authentication: Authentication,
  data: Buffer | undefined,
): ReasonCode {
  const { exchange } = authentication;
  if (exchange === null) return ReasonCode.ProtocolError;
  let outcome: AuthenticationStep | Promise<AuthenticationStep>;
  try {
    outcome = exchange.step(data);
  } catch (error) {
    return onFault(connection, authentication, error);
  }
  if (!(outcome instanceof Promise)) return onStep(connection, authentication, outcome);
  waitFor(connection, authentication, outcome);
  return ReasonCode.Success;
}

/** A named async border: before CONNACK what arrives meanwhile waits, unread. */
function waitFor(
  connection: Connection,
  authentication: Authentication,
  outcome: Promise<AuthenticationStep>,
): void {
  authentication.isWorking = true;
  if (connection.phase === Phase.Authenticating) connection.pause(PauseReason.Authenticating);
  const goOn = (next: () => ReasonCode): void => {
    authentication.isWorking = false;
    if (connection.isEnding) return;
    connection.run(next);
    connection.unpause(PauseReason.Authenticating);
  };
  outcome.then(
    (step) => goOn(() => onStep(connection, authentication, step)),
    (error: unknown) => goOn(() => onFault(connection, authentication, error)),
  );
}

function onStep(
  connection: Connection,
  authentication: Authentication,
  step: AuthenticationStep,
): ReasonCode {
  if (step.kind === 'continue') {
    sendAuth(connection, authentication, ReasonCode.ContinueAuthentication, step.data); // [MQTT-4.12.0-2]
    return ReasonCode.Success;
  }
  if (step.kind === 'failure') return fail(connection, authentication, step.reasonCode, step.detail);
  authentication.exchange = null;
  if (connection.phase !== Phase.Connected) return authentication.onSignedIn(step);
  // The session, the rules and what is queued are the former user's.
  if (step.name !== connection.identity?.name)
    return fail(connection, authentication, ReasonCode.NotAuthorized, 're-authentication as another user');
  sendAuth(connection, authentication, ReasonCode.Success, step.data);
  return ReasonCode.Success;
}

/** No reason string and no user property, so nothing can make it too large for the client but the method's own data. */
function sendAuth(
  connection: Connection,
  authentication: Authentication,
  reasonCode: ReasonCode,
  data: Buffer | undefined,
): void {
  const authenticationMethod = authentication.method; // [MQTT-4.12.0-5]
  const properties =
    data === undefined ? { authenticationMethod } : { authenticationMethod, authenticationData: data };
  connection.send({ type: PacketType.Auth, reasonCode, properties });
}

/** CONNACK with the reason [MQTT-4.12.0-4], after it DISCONNECT [MQTT-4.12.1-2]; then the end. */
function fail(
  connection: Connection,
  authentication: Authentication,
  reasonCode: ReasonCode,
  detail: string,
): ReasonCode {
  authentication.exchange = null;
  if (connection.phase !== Phase.Connected) {
    return authentication.onSignedIn({ kind: 'failure', reasonCode, detail });
  }
  const fields = {
    listener: connection.profile.name,
    address: connection.transport.peer.address,
    reason: reasonName(reasonCode),
  };
  const kind = `a client is disconnected: ${fields.reason}`;
  connection.core.sparing.notice(`client ${connection.clientId} is disconnected: ${detail}`, fields, kind);
  connection.disconnect(disconnectCode(reasonCode), detail);
  return ended;
}

/** CONNACK knows reasons that DISCONNECT does not (MQTT 5, tables 3-1 and 3-10). */
function disconnectCode(reasonCode: ReasonCode): ReasonCode {
  switch (reasonCode) {
    case ReasonCode.BadUserNameOrPassword:
    case ReasonCode.BadAuthenticationMethod:
    case ReasonCode.ClientIdentifierNotValid:
    case ReasonCode.Banned:
      return ReasonCode.NotAuthorized;
    case ReasonCode.ServerUnavailable:
      return ReasonCode.ServerBusy;
    default:
      return reasonCode;
  }
}

/** Says in the log that what checks sign-ins has failed. */
export function tellSignInFault(connection: Connection, error: unknown): void {
  const text = `sign-in of a client failed: ${messageOf(error)}`;
  connection.core.sparing.error(text, { listener: connection.profile.name });
}

function onFault(connection: Connection, authentication: Authentication, error: unknown): ReasonCode {
  tellSignInFault(connection, error);
  return fail(connection, authentication, ReasonCode.ServerUnavailable, 'sign-in is not available');
}

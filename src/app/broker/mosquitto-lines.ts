import { getSystemErrorMessage } from 'node:util';
import { logSentence, type PeerInfo } from '#base';
import type { BrokerEvent, BrokerEvents, ConnectionEnd, PacketTrace } from '#broker';
import type { MosquittoLogType } from '#config';
import { PacketType, ReasonCode, reasonName, type Packet, type PublishPacket } from '#mqtt';

/** Where lines go. */
export interface LineWriter {
  /** Lines about clients that come and go are wanted. */
  readonly tellsOfConnections: boolean;
  line(type: MosquittoLogType, text: string): void;
}

/**
 * What the broker tells, in the words of Mosquitto 2.1's log, each line with its type: people's log monitors look for
 * exactly these. What a peer has put into a name cannot break a line.
 */
export class MosquittoLines implements BrokerEvents {
  readonly packets: PacketTrace | null;
  readonly #log: LineWriter;

  /** `showsPackets`: the debug lines are wanted at the start; later that is `Broker.tracePackets`. */
  constructor(log: LineWriter, showsPackets: boolean) {
    this.#log = log;
    this.packets = showsPackets ? createPacketLines(log) : null;
  }

  onEvent(event: BrokerEvent): void {
    const log = this.#log;
    switch (event.kind) {
      case 'subscribed':
        return log.line('subscribe', `${text(event.clientId)} ${event.qos} ${text(event.filter)}`);
      case 'unsubscribed':
        return log.line('unsubscribe', `${text(event.clientId)} ${text(event.filter)}`);
      case 'not-connect':
        return log.line(
          'information',
          `Protocol error from ${place(event.peer)}: First packet not CONNECT (${hexByte(event.firstByte)}).`,
        );
      case 'dropping':
        return log.line('notice', `Outgoing messages are being dropped for client ${text(event.clientId)}.`);
      case 'session-expired':
        return log.line('notice', `Expiring client ${text(event.clientId)} due to timeout.`);
      default:
        if (log.tellsOfConnections) this.#onConnectionEvent(event);
    }
  }

  #onConnectionEvent(event: BrokerEvent): void {
    const log = this.#log;
    switch (event.kind) {
      case 'connection':
        return log.line('notice', connectionLine(event.peer, event.port));
      case 'connection-refused':
        return log.line(
          'notice',
          `Client connection from ${text(event.address)} denied: max_connections exceeded.`,
        );
      case 'client-connected':
        return this.#onConnected(event);
      case 'taken-over':
        // Mosquitto 2.0's line, which many monitors know; the one of 2.1 follows when the former connection ends.
        return log.line('error', `Client ${text(event.clientId)} already connected, closing old connection.`);
      case 'connection-ended': {
        const why = reasonOf(event.end);
        if (why === null) return;
        const who = `Client ${text(event.clientId)} [${place(event.peer)}] disconnected`;
        return log.line('notice', why === '' ? `${who}.` : `${who}: ${why}.`);
      }
      default:
    }
  }

  #onConnected(event: Extract<BrokerEvent, { kind: 'client-connected' }>): void {
    const { client, isBridge, cleanStart, keepAliveSeconds, will } = event;
    const kind = isBridge ? 'bridge' : 'client';
    const version = protocolNumbers[client.version];
    const user = client.name === null ? '' : `, u'${text(client.name)}'`;
    const facts = `p${version}, c${cleanStart ? 1 : 0}, k${keepAliveSeconds}${user}`;
    const who = `${place(client.peer)} as ${text(client.clientId)}`;
    this.#log.line('notice', `New ${kind} connected from ${who} (${facts}).`);
    if (will === null) {
      this.#log.line('debug', 'No will message specified.');
      return;
    }
    const { bytes, retain, qos, topic } = will;
    this.#log.line('debug', `Will message specified (${bytes} bytes) (r${retain ? 1 : 0}, q${qos}).`);
    this.#log.line('debug', `\t${text(topic)}`);
  }
}

/** How Mosquitto numbers the versions: 1 = MQTT 3.1, 2 = 3.1.1, 5 = 5. */
const protocolNumbers = { 3: 1, 4: 2, 5: 5 } as const;

/** The debug lines: `Received PUBLISH from tank-7 (d0, q1, r0, m5, 'gas/1', ... (12 bytes))`. */
export function createPacketLines(log: LineWriter): PacketTrace {
  const debug = (line: string): void => log.line('debug', line);
  return {
    received: (who, packet) => debugReceived(debug, text(who), packet),
    denied: (who, packet) => debug(`Denied PUBLISH from ${text(who)} (${publishFacts(packet)})`),
    sent: (who, packet) => debugSent(debug, text(who), packet),
  };
}

function debugReceived(debug: (line: string) => void, who: string, packet: Packet): void {
  switch (packet.type) {
    case PacketType.Publish:
      return debug(`Received PUBLISH from ${who} (${publishFacts(packet)})`);
    case PacketType.Puback:
      return debug(`Received PUBACK from ${who} (Mid: ${packet.packetId}, RC:${packet.reasonCode})`);
    case PacketType.Pubrec:
      return debug(`Received PUBREC from ${who} (Mid: ${packet.packetId})`);
    case PacketType.Pubrel:
      return debug(`Received PUBREL from ${who} (Mid: ${packet.packetId})`);
    case PacketType.Pubcomp:
      return debug(`Received PUBCOMP from ${who} (Mid: ${packet.packetId}, RC:${packet.reasonCode})`);
    case PacketType.Subscribe:
      debug(`Received SUBSCRIBE from ${who}`);
      for (const { filter, qos } of packet.subscriptions) debug(`\t${text(filter)} (QoS ${qos})`);
      return;
    case PacketType.Unsubscribe:
      debug(`Received UNSUBSCRIBE from ${who}`);
      for (const filter of packet.filters) debug(`\t${text(filter)}`);
      return;
    case PacketType.Pingreq:
      return debug(`Received PINGREQ from ${who}`);
    case PacketType.Disconnect:
      return debug(`Received DISCONNECT from ${who}`);
    case PacketType.Auth: {
      const { authenticationMethod = '' } = packet.properties;
      return debug(`Received AUTH from ${who} (rc${packet.reasonCode}, ${text(authenticationMethod)})`);
    }
    default:
  }
}

function debugSent(debug: (line: string) => void, who: string, packet: Packet): void {
  switch (packet.type) {
    case PacketType.Connack:
      return debug(`Sending CONNACK to ${who} (${packet.sessionPresent ? 1 : 0}, ${packet.reasonCode})`);
    case PacketType.Publish:
      return debug(`Sending PUBLISH to ${who} (${publishFacts(packet)})`);
    case PacketType.Puback:
      return debug(`Sending PUBACK to ${who} (m${packet.packetId}, rc${packet.reasonCode})`);
    case PacketType.Pubrec:
      return debug(`Sending PUBREC to ${who} (m${packet.packetId}, rc${packet.reasonCode})`);
    case PacketType.Pubrel:
      return debug(`Sending PUBREL to ${who} (m${packet.packetId})`);
    case PacketType.Pubcomp:
      return debug(`Sending PUBCOMP to ${who} (m${packet.packetId})`);
    case PacketType.Suback:
      return debug(`Sending SUBACK to ${who}`);
    case PacketType.Unsuback:
      return debug(`Sending UNSUBACK to ${who}`);
    case PacketType.Pingresp:
      return debug(`Sending PINGRESP to ${who}`);
    case PacketType.Disconnect:
      return debug(`Sending DISCONNECT to ${who} (rc${packet.reasonCode})`);
    case PacketType.Auth: {
      const { authenticationMethod = '' } = packet.properties;
      return debug(`Sending AUTH to ${who} (rc${packet.reasonCode}, ${text(authenticationMethod)})`);
    }
    default:
  }
}

function publishFacts({ dup, qos, retain, packetId, topic, payload }: PublishPacket): string {
  const flags = `d${dup ? 1 : 0}, q${qos}, r${retain ? 1 : 0}, m${qos === 0 ? 0 : packetId}`;
  return `${flags}, '${text(topic)}', ... (${payload.length} bytes)`;
}

function connectionLine(peer: PeerInfo, port: number | string): string {
  if (typeof port === 'number') return `New connection from ${place(peer)} on port ${port}.`;
  return `New connection from ${text(peer.address)} on socket ${text(port)}.`;
}

/** Why a connection ended, in Mosquitto's words; empty = it needs no reason, `null` = it is not told at all. */
function reasonOf(end: ConnectionEnd): string | null {
  if (end.kind === 'client') return '';
  if (end.kind === 'lost')
    return end.error === null ? 'connection closed by client' : networkReason(end.error);
  if (end.reasonCode === ReasonCode.ServerShuttingDown) return null;
  return reasons.get(end.reasonCode) ?? reasonName(end.reasonCode);
}

const reasons: ReadonlyMap<number, string> = new Map([
  [ReasonCode.MalformedPacket, 'malformed packet'],
  [ReasonCode.ProtocolError, 'protocol error'],
  [ReasonCode.ImplementationSpecificError, 'implementation specific error'],
  [ReasonCode.UnsupportedProtocolVersion, 'protocol error'],
  [ReasonCode.ClientIdentifierNotValid, 'client identifier not valid'],
  [ReasonCode.BadUserNameOrPassword, 'not authorised'],
  [ReasonCode.NotAuthorized, 'not authorised'],
  [ReasonCode.ServerUnavailable, 'server unavailable'],
  [ReasonCode.ServerBusy, 'server busy'],
  [ReasonCode.Banned, 'client banned'],
  [ReasonCode.BadAuthenticationMethod, 'bad authentication method'],
  [ReasonCode.KeepAliveTimeout, 'exceeded timeout'],
  [ReasonCode.SessionTakenOver, 'session taken over'],
  [ReasonCode.ReceiveMaximumExceeded, 'exceeding the receive maximum'],
  [ReasonCode.TopicAliasInvalid, 'topic alias invalid'],
  [ReasonCode.PacketTooLarge, 'oversize packet'],
  [ReasonCode.QuotaExceeded, 'quota exceeded'],
  [ReasonCode.AdministrativeAction, 'administrative action'],
  [
    ReasonCode.RetainNotSupported,
    'using not allowed feature (QoS too high, retain not supported, or bad AUTH method)',
  ],
  [
    ReasonCode.QosNotSupported,
    'using not allowed feature (QoS too high, retain not supported, or bad AUTH method)',
  ],
] as const);

/** As strerror(3) says it: `Connection reset by peer`. */
function networkReason(error: Error): string {
  if (!('errno' in error) || typeof error.errno !== 'number' || error.errno >= 0) return text(error.message);
  const words = getSystemErrorMessage(error.errno) ?? error.message;
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function place({ address, port }: PeerInfo): string {
  return `${text(address)}:${port}`;
}

function hexByte(byte: number): string {
  return byte.toString(16).toUpperCase().padStart(2, '0');
}

/** Control characters would forge lines. */
function text(value: string): string {
  return logSentence(value);
}

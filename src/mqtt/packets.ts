import type { PacketType, ProtocolVersion, Qos } from './constants.ts';

/** One user property: a name and a value. Order is kept and names may repeat (MQTT 5, 3.3.2.3.7). */
export type UserProperty = readonly [name: string, value: string];

/**
 * Properties of PUBLISH and of a will (MQTT 5, 3.3.2.3 and 3.1.3.2). Absent = `undefined`; the lists are empty, never
 * absent. A packet without any property, and every packet before MQTT 5, has `properties: null`.
 * Every field is always present in the same order, so that all records share one shape.
 */
export interface PublishProperties {
  payloadFormat: 0 | 1 | undefined;
  /** Seconds. */
  messageExpiry: number | undefined;
  topicAlias: number | undefined;
  responseTopic: string | undefined;
  correlationData: Buffer | undefined;
  contentType: string | undefined;
  userProperties: readonly UserProperty[];
  subscriptionIdentifiers: readonly number[];
}

/** PUBLISH. `payload` of a decoded packet is a view of the chunk it came in: copy it to keep it. */
export interface PublishPacket {
  readonly type: typeof PacketType.Publish;
  topic: string;
  payload: Buffer;
  qos: Qos;
  retain: boolean;
  dup: boolean;
  /** 0 at QoS 0. */
  packetId: number;
  properties: PublishProperties | null;
}

export interface Will {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: Qos;
  readonly retain: boolean;
  /** Seconds (MQTT 5, 3.1.3.2.2). */
  readonly delay: number;
  readonly properties: PublishProperties | null;
}

export interface ConnectProperties {
  readonly sessionExpiry?: number;
  readonly receiveMaximum?: number;
  readonly maximumPacketSize?: number;
  readonly topicAliasMaximum?: number;
  readonly requestResponseInformation?: boolean;
  readonly requestProblemInformation?: boolean;
  readonly userProperties?: readonly UserProperty[];
  readonly authenticationMethod?: string;
  readonly authenticationData?: Buffer;
}

export interface ConnectPacket {
  readonly type: typeof PacketType.Connect;
  readonly version: ProtocolVersion;
  /** Bit 7 of the protocol level, which bridges set to say what they are (`try_private`). */
  readonly bridge: boolean;
  readonly clientId: string;
  readonly cleanStart: boolean;
  /** Seconds; 0 = none. */
  readonly keepAlive: number;
  readonly username: string | undefined;
  readonly password: Buffer | undefined;
  readonly will: Will | null;
  readonly properties: ConnectProperties;
}

export interface ConnackProperties {
  readonly sessionExpiry?: number;
  readonly receiveMaximum?: number;
  readonly maximumQos?: 0 | 1;
  readonly retainAvailable?: boolean;
  readonly maximumPacketSize?: number;
  readonly assignedClientIdentifier?: string;
  readonly topicAliasMaximum?: number;
  readonly reasonString?: string;
  readonly userProperties?: readonly UserProperty[];
  readonly wildcardSubscriptionAvailable?: boolean;
  readonly subscriptionIdentifiersAvailable?: boolean;
  readonly sharedSubscriptionAvailable?: boolean;
  readonly serverKeepAlive?: number;
  readonly responseInformation?: string;
  readonly serverReference?: string;
  readonly authenticationMethod?: string;
  readonly authenticationData?: Buffer;
}

export interface ConnackPacket {
  readonly type: typeof PacketType.Connack;
  readonly sessionPresent: boolean;
  /** MQTT 5: reason code. Before: the return code 0–5 (3.1.1, 3.2.2.3), as it stands on the wire. */
  readonly reasonCode: number;
  readonly properties: ConnackProperties;
}

/** Properties that answers share: PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK, UNSUBACK. */
export interface AckProperties {
  readonly reasonString?: string;
  readonly userProperties?: readonly UserProperty[];
}

/** PUBACK, PUBREC, PUBREL or PUBCOMP. Before MQTT 5 the reason code is 0. */
export interface AckPacket {
  readonly type:
    | typeof PacketType.Puback
    | typeof PacketType.Pubrec
    | typeof PacketType.Pubrel
    | typeof PacketType.Pubcomp;
  readonly packetId: number;
  readonly reasonCode: number;
  readonly properties: AckProperties;
}

export interface SubscriptionRequest {
  readonly filter: string;
  readonly qos: Qos;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  /** 0 send retained messages, 1 only for a new subscription, 2 never. */
  readonly retainHandling: 0 | 1 | 2;
}

export interface SubscribePacket {
  readonly type: typeof PacketType.Subscribe;
  readonly packetId: number;
  readonly subscriptions: readonly SubscriptionRequest[];
  readonly properties: {
    readonly subscriptionIdentifier?: number;
    readonly userProperties?: readonly UserProperty[];
  };
}

export interface SubackPacket {
  readonly type: typeof PacketType.Suback;
  readonly packetId: number;
  /** One for each subscription. Before MQTT 5: 0, 1, 2 or 0x80. */
  readonly reasonCodes: readonly number[];
  readonly properties: AckProperties;
}

export interface UnsubscribePacket {
  readonly type: typeof PacketType.Unsubscribe;
  readonly packetId: number;
  readonly filters: readonly string[];
  readonly properties: { readonly userProperties?: readonly UserProperty[] };
}

export interface UnsubackPacket {
  readonly type: typeof PacketType.Unsuback;
  readonly packetId: number;
  /** One for each filter; empty before MQTT 5. */
  readonly reasonCodes: readonly number[];
  readonly properties: AckProperties;
}

export interface PingreqPacket {
  readonly type: typeof PacketType.Pingreq;
}

export interface PingrespPacket {
  readonly type: typeof PacketType.Pingresp;
}

export interface DisconnectPacket {
  readonly type: typeof PacketType.Disconnect;
  readonly reasonCode: number;
  readonly properties: {
    readonly sessionExpiry?: number;
    readonly reasonString?: string;
    readonly userProperties?: readonly UserProperty[];
    readonly serverReference?: string;
  };
}

export interface AuthPacket {
  readonly type: typeof PacketType.Auth;
  readonly reasonCode: number;
  readonly properties: {
    readonly authenticationMethod?: string;
    readonly authenticationData?: Buffer;
    readonly reasonString?: string;
    readonly userProperties?: readonly UserProperty[];
  };
}

export type Packet =
  | ConnectPacket
  | ConnackPacket
  | PublishPacket
  | AckPacket
  | SubscribePacket
  | SubackPacket
  | UnsubscribePacket
  | UnsubackPacket
  | PingreqPacket
  | PingrespPacket
  | DisconnectPacket
  | AuthPacket;

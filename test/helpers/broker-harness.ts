import assert from 'node:assert/strict';
import { FakeClock, LineLogger } from '#base';
import {
  Broker,
  type Authenticator,
  type Authorizer,
  type BrokerEvents,
  type Journal,
  type ListenerProfile,
  type MemoryGauge,
} from '#broker';
import type { LimitsConfig } from '#config';
import { MemoryJournal } from '#journal';
import {
  decodePacket,
  encodePacket,
  FrameReader,
  PacketType,
  ReasonCode,
  type AckPacket,
  type ConnackPacket,
  type ConnectPacket,
  type DisconnectPacket,
  type Packet,
  type ProtocolVersion,
  type PublishPacket,
  type PublishProperties,
  type Qos,
  type SubackPacket,
  type SubscriptionRequest,
  type Will,
} from '#mqtt';
import { MemoryTransport } from './memory-transport.ts';

/** Bounds that no test reaches by chance. */
export const wideLimits: LimitsConfig = {
  maximumPacketSize: 1_048_576,
  maximumPacketSizeBeforeConnect: 16_384,
  connectTimeoutMs: 10_000,
  maximumConnections: 1000,
  receiveMaximum: 100,
  receiveMaximumStrict: true,
  maximumInflight: 100,
  maximumQueuedMessages: 10_000,
  maximumQueuedBytes: 64 * 1024 * 1024,
  maximumSubscriptionsPerClient: 1000,
  maximumTopicLevels: 128,
  maximumTopicLength: 4096,
  maximumRetainedMessages: 10_000,
  maximumRetainedBytes: 64 * 1024 * 1024,
  topicAliasMaximum: 10,
  maximumKeepAliveSeconds: 0,
  maximumSessionExpirySeconds: 1_000_000,
  maximumPendingBytes: 1_048_576,
  maximumUserProperties: 100,
};

/** Everybody is who they say they are. */
export const openAuthenticator: Authenticator = {
  authenticate: ({ username }) => ({ reasonCode: 0, name: username ?? null }),
};

/** Everybody may do everything. */
export const openAuthorizer: Authorizer = {
  generation: 0,
  mayPublish: () => true,
  mayRead: () => true,
  maySubscribe: () => 'all',
};

/** A way in without rules, but for those of `change`. */
export function openProfile(change: Partial<ListenerProfile> = {}): ListenerProfile {
  return {
    name: 'test',
    authenticator: openAuthenticator,
    authorizer: openAuthorizer,
    stampSite: null,
    minimumQos: 0,
    sharedClientIds: new Set(),
    ...change,
  };
}

export interface HarnessOptions {
  readonly limits?: Partial<LimitsConfig>;
  readonly journal?: Journal;
  readonly clock?: FakeClock;
  readonly memory?: MemoryGauge;
  readonly events?: BrokerEvents;
  readonly sysIntervalSeconds?: number;
}

/** A broker whose time and turns belong to the test. */
export class BrokerHarness {
  readonly clock: FakeClock;
  readonly broker: Broker;
  /** What the broker logged, a line each. */
  readonly log: string[] = [];
  #tasks: (() => void)[] = [];

  constructor(options: HarnessOptions = {}) {
    this.clock = options.clock ?? new FakeClock();
    this.broker = new Broker({
      clock: this.clock,
      log: new LineLogger({ clock: this.clock, level: 'debug', write: (line) => this.log.push(line) }),
      limits: { ...wideLimits, ...options.limits },
      journal: options.journal ?? new MemoryJournal(),
      name: 'test',
      version: '1.2.3',
      schedule: (callback) => this.#tasks.push(callback),
      ...(options.memory === undefined ? {} : { memory: options.memory }),
      ...(options.events === undefined ? {} : { events: options.events }),
      ...(options.sysIntervalSeconds === undefined ? {} : { sysIntervalSeconds: options.sysIntervalSeconds }),
    });
    this.broker.start();
  }

  /** Runs turns until nothing is left to do. */
  settle(): void {
    while (this.#tasks.length > 0) this.turn();
  }

  /** Runs one turn. */
  turn(): void {
    const tasks = this.#tasks;
    this.#tasks = [];
    for (const task of tasks) task();
  }

  /** Moves the time and lets the broker do what falls due. */
  advance(milliseconds: number): void {
    this.clock.advance(milliseconds);
    this.settle();
  }

  /** A transport that has said nothing. */
  open(
    options: { profile?: Partial<ListenerProfile>; address?: string; version?: ProtocolVersion } = {},
  ): TestClient {
    const client = new TestClient(this, options.address ?? 'local', options.version ?? 5);
    this.broker.accept(client.transport, openProfile(options.profile));
    return client;
  }

  /** A client that is connected; the test fails if it is refused. */
  connect(clientId: string, options: ConnectOptions = {}): TestClient {
    const client = this.open(options);
    client.connect(clientId, options);
    const connack = client.take(PacketType.Connack) as ConnackPacket;
    assert.equal(connack.reasonCode, 0, `${clientId} is refused`);
    client.connack = connack;
    return client;
  }
}

/** What a CONNECT says beside who it is of. */
export type ConnectFields = Partial<Omit<ConnectPacket, 'type'>>;

export interface ConnectOptions extends Omit<ConnectFields, 'clientId' | 'version'> {
  readonly version?: ProtocolVersion;
  readonly profile?: Partial<ListenerProfile>;
  readonly address?: string;
}

/** A client that does exactly what the test says: packets in, decoded packets out. */
export class TestClient {
  readonly transport: MemoryTransport;
  readonly version: ProtocolVersion;
  connack: ConnackPacket | null = null;
  /** Packets that came and were not taken yet. */
  readonly received: Packet[] = [];
  /** Bytes of every packet that came. */
  readonly frames: Buffer[] = [];
  readonly #harness: BrokerHarness;
  readonly #reader: FrameReader;

  constructor(harness: BrokerHarness, address: string, version: ProtocolVersion) {
    this.#harness = harness;
    this.version = version;
    this.transport = new MemoryTransport(address);
    this.#reader = new FrameReader(
      {
        onFrame: (bytes, start, bodyStart, end) => {
          const copy = Buffer.from(bytes.subarray(start, end));
          const packet = decodePacket(copy, 0, bodyStart - start, copy.length, this.version);
          assert.notEqual(packet.type, 0, `the broker sent a malformed packet: ${copy.toString('hex')}`);
          this.frames.push(copy);
          this.received.push(packet as Packet);
          return ReasonCode.Success;
        },
      },
      0x0fff_ffff,
    );
    this.transport.onOutput = (bytes) => this.#reader.push(bytes);
  }

  get isClosed(): boolean {
    return this.transport.isClosed;
  }

  connect(clientId: string, options: ConnectOptions = {}): void {
    this.send(connectPacket(clientId, this.version, pick(options)));
  }

  send(...packets: Packet[]): void {
    this.raw(Buffer.concat(packets.map((packet) => encodePacket(packet, this.version))));
  }

  /** Bytes as one chunk. */
  raw(bytes: Buffer | string): void {
    this.transport.feed(typeof bytes === 'string' ? Buffer.from(bytes.replaceAll(' ', ''), 'hex') : bytes);
    this.#harness.settle();
  }

  publish(topic: string, payload: string | Buffer, options: PublishOptions = {}): void {
    this.send(publishPacket(topic, payload, options));
  }

  ack(type: AckPacket['type'], packetId: number, reasonCode = 0): void {
    this.send({ type, packetId, reasonCode, properties: {} });
  }

  /** Subscribes and gives back the reason codes. */
  subscribe(filter: string, options: SubscribeOptions = {}): readonly number[] {
    const { packetId = 1, subscriptionIdentifier, ...request } = options;
    this.send({
      type: PacketType.Subscribe,
      packetId,
      subscriptions: [
        { filter, qos: 2, noLocal: false, retainAsPublished: false, retainHandling: 0, ...request },
      ],
      properties: subscriptionIdentifier === undefined ? {} : { subscriptionIdentifier },
    });
    return (this.take(PacketType.Suback) as SubackPacket).reasonCodes;
  }

  unsubscribe(...filters: string[]): void {
    this.send({ type: PacketType.Unsubscribe, packetId: 9, filters, properties: {} });
  }

  disconnect(reasonCode = 0, properties: DisconnectPacket['properties'] = {}): void {
    this.send({ type: PacketType.Disconnect, reasonCode, properties });
  }

  /** The connection is lost. */
  breakOff(): void {
    this.transport.breakOff();
    this.#harness.settle();
  }

  /** The next packet, which must be of this type. */
  take(type: PacketType): Packet {
    const packet = this.received.shift();
    assert.equal(packet?.type, type, `expected packet type ${type}, got ${JSON.stringify(packet)}`);
    return packet;
  }

  takePublish(): PublishPacket {
    return this.take(PacketType.Publish) as PublishPacket;
  }

  takeAck(type: AckPacket['type']): AckPacket {
    return this.take(type) as AckPacket;
  }

  takeDisconnect(): DisconnectPacket {
    return this.take(PacketType.Disconnect) as DisconnectPacket;
  }

  /** Topics and payloads of the PUBLISH packets that came, as `topic=payload`; nothing else may have come. */
  takeAll(): string[] {
    return this.received.splice(0).map((packet) => {
      assert.equal(packet.type, PacketType.Publish);
      const { topic, payload } = packet;
      return `${topic}=${payload.toString()}`;
    });
  }

  /** Nothing has come: proven by an answer to a ping that was sent after. */
  expectNothing(): void {
    this.send({ type: PacketType.Pingreq });
    this.take(PacketType.Pingresp);
    assert.deepEqual(this.received, []);
  }
}

export interface PublishOptions {
  readonly qos?: Qos;
  readonly retain?: boolean;
  readonly dup?: boolean;
  readonly packetId?: number;
  readonly properties?: Partial<PublishProperties>;
}

export interface SubscribeOptions extends Partial<Omit<SubscriptionRequest, 'filter'>> {
  readonly packetId?: number;
  readonly subscriptionIdentifier?: number;
}

/** A CONNECT: clean, without keep-alive, unless said otherwise. */
export function connectPacket(
  clientId: string,
  version: ProtocolVersion,
  fields: ConnectFields = {},
): ConnectPacket {
  return {
    type: PacketType.Connect,
    version,
    bridge: false,
    clientId,
    cleanStart: true,
    keepAlive: 0,
    username: undefined,
    password: undefined,
    will: null,
    properties: {},
    ...fields,
  };
}

export function publishPacket(
  topic: string,
  payload: string | Buffer,
  options: PublishOptions = {},
): PublishPacket {
  const { qos = 0, retain = false, dup = false, packetId = qos === 0 ? 0 : 1, properties } = options;
  return {
    type: PacketType.Publish,
    topic,
    payload: Buffer.from(payload),
    qos,
    retain,
    dup,
    packetId,
    properties: properties === undefined ? null : publishProperties(properties),
  };
}

export function publishProperties(properties: Partial<PublishProperties>): PublishProperties {
  return {
    payloadFormat: undefined,
    messageExpiry: undefined,
    topicAlias: undefined,
    responseTopic: undefined,
    correlationData: undefined,
    contentType: undefined,
    userProperties: [],
    subscriptionIdentifiers: [],
    ...properties,
  };
}

export function willOf(topic: string, payload: string, options: Partial<Will> = {}): Will {
  return {
    topic,
    payload: Buffer.from(payload),
    qos: 0,
    retain: false,
    delay: 0,
    properties: null,
    ...options,
  };
}

function pick(options: ConnectOptions): Partial<ConnectPacket> {
  const { profile: _profile, address: _address, version: _version, ...rest } = options;
  return rest;
}

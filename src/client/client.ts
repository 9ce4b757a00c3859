import { DavylampError, type Timer } from '#base';
import {
  PacketType,
  ReasonCode,
  type AckRecord,
  type ConnackPacket,
  type ConnectPacket,
  type PublishProperties,
  type Qos,
} from '#mqtt';
import { topicNameFault } from '#topics';
import { Backoff } from './backoff.ts';
import { BrokerLink } from './broker-link.ts';
import { IncomingMessages } from './incoming-messages.ts';
import { OutgoingMessages } from './outgoing-messages.ts';
import { createPublishProperties } from './publish-properties.ts';
import { Subscriptions } from './subscriptions.ts';
import type {
  ClientOptions,
  ClientState,
  ClientStatistics,
  MessageHandler,
  PublishOptions,
  PublishResult,
  StateHandler,
  SubscribeProperties,
  SubscribeRequest,
} from './client-options.ts';

const defaultMaximumPacketSize = 1024 * 1024;
const defaultMaximumQueuedMessages = 10_000;
/** Deeper topics than any broker routes. */
const maximumTopicLevels = 128;

interface Waiter {
  readonly resolve: (connack: ConnackPacket) => void;
  readonly reject: (error: Error) => void;
}

/**
 * An MQTT client. With `reconnect` it comes back by itself: what is in flight is sent again, and where the broker has
 * forgotten the session, subscriptions are made again.
 */
export class Client {
  /** Called for each message. An exception here is a bug: it is logged and ends the connection. */
  onMessage: MessageHandler = () => {};
  onState: StateHandler = () => {};
  /** Called when there is room again after `publishQuietly` gave false. */
  onReady: () => void = () => {};
  readonly #options: ClientOptions;
  readonly #connect: ConnectPacket;
  readonly #statistics: ClientStatistics = {
    connects: 0,
    published: 0,
    redelivered: 0,
    refused: 0,
    received: 0,
    duplicates: 0,
  };
  readonly #outgoing: OutgoingMessages;
  readonly #incoming: IncomingMessages;
  readonly #subscriptions: Subscriptions;
  readonly #backoff: Backoff | null;
  #state: ClientState = 'closed';
  #link: BrokerLink | null = null;
  #retry: Timer | null = null;
  #waiter: Waiter | null = null;
  #closing: (() => void)[] = [];
  #isClosing = false;
  /** The QoS that `publishQuietly` had no room for; -1 = none. */
  #wantedQos: Qos | -1 = -1;
  #packetId = 0;
  #connectedAt = -1;
  #lastFault = '';
  /** MQTT 5: the broker holds a session that this client has begun: the next connection goes on with it. */
  #hasSession = false;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#connect = connectPacket(options);
    this.#backoff = options.reconnect === false ? null : new Backoff(options.reconnect);
    const nextPacketId = (): number => this.#nextPacketId();
    this.#outgoing = new OutgoingMessages({
      version: options.version,
      maximumQueuedMessages: options.maximumQueuedMessages ?? defaultMaximumQueuedMessages,
      nextPacketId,
      statistics: this.#statistics,
    });
    this.#incoming = new IncomingMessages({
      version: options.version,
      receiveMaximum: options.receiveMaximum ?? 65_535,
      manualAcknowledge: options.manualAcknowledge ?? false,
      statistics: this.#statistics,
      handler: () => this.onMessage,
    });
    this.#subscriptions = new Subscriptions({ log: options.log, nextPacketId });
  }

  get state(): ClientState {
    return this.#state;
  }

  get statistics(): Readonly<ClientStatistics> {
    return this.#statistics;
  }

  /** QoS 1 and 2 messages that are not answered yet, those that wait included. */
  get inflight(): number {
    return this.#outgoing.size;
  }

  /**
   * Connects and resolves with the broker's CONNACK; with `reconnect` at the first success, however many tries that
   * takes. Rejects with `CONNECT_FAILED`, `TLS_INVALID`, `CONNECTION_REFUSED`, `CONNECTION_LOST` or `PROTOCOL`, and with
   * `USAGE` where the options are not ones that MQTT 3.1.1 allows. Aborting before that closes the client.
   */
  connect(signal?: AbortSignal): Promise<ConnackPacket> {
    if (this.#state !== 'closed' || this.#isClosing) {
      return Promise.reject(
        new DavylampError('USAGE', `client ${this.#options.clientId} is connected already`),
      );
    }
    if (this.#options.authentication !== undefined && this.#options.version !== 5)
      return Promise.reject(new DavylampError('USAGE', 'an authentication method needs MQTT 5'));
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    const fault = optionsFault(this.#options);
    if (fault !== null) return Promise.reject(new DavylampError('USAGE', fault));
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#waiter = null;
        reject(signal?.reason as Error);
        this.#link?.destroy();
        this.#finish();
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#waiter = {
        resolve: (connack) => {
          signal?.removeEventListener('abort', onAbort);
          resolve(connack);
        },
        reject: (error) => {
          signal?.removeEventListener('abort', onAbort);
          reject(error);
        },
      };
      this.#open();
    });
  }

  /**
   * QoS 1 and 2: resolves with the broker's last answer, over as many connections as it takes; `payload` must not change
   * until then. QoS 0: resolves when the message is handed over. Rejects with `CONNECTION_LOST` when the client is closed,
   * with `QUEUE_FULL` and with `USAGE` for a topic that cannot be published on.
   */
  publish(topic: string, payload: Buffer | string, options: PublishOptions = {}): Promise<PublishResult> {
    if (topicNameFault(topic, maximumTopicLevels) !== ReasonCode.Success) {
      const message = `cannot publish on topic ${JSON.stringify(topic)}; it must not be empty or hold +, # or a zero`;
      return Promise.reject(new DavylampError('USAGE', message));
    }
    if (this.#isOver) return Promise.reject(this.#notConnected());
    const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload;
    const { qos = 0, retain = false } = options;
    const properties = this.#propertiesOf(options);
    this.#statistics.published += 1;
    if (qos !== 0) return this.#outgoing.send(topic, bytes, qos, retain, properties);
    const reasonCode = this.#outgoing.sendOnce(topic, bytes, retain, properties);
    if (reasonCode === ReasonCode.ServerUnavailable) return Promise.reject(this.#notConnected());
    if (reasonCode !== ReasonCode.Success) this.#statistics.refused += 1;
    return Promise.resolve({ reasonCode });
  }

  /**
   * Publishes without a promise, for loads: false = not connected, or the window or the socket is full; `onReady` tells
   * when to go on. The topic is not checked; at QoS 1 and 2 `payload` must not change until the answer.
   */
  publishQuietly(topic: string, payload: Buffer, qos: Qos): boolean {
    if (!this.#outgoing.hasRoom(qos)) {
      this.#wantedQos = qos;
      return false;
    }
    this.#statistics.published += 1;
    if (qos === 0) this.#outgoing.sendOnce(topic, payload, false, null);
    else this.#outgoing.sendQuietly(topic, payload, qos);
    return true;
  }

  /** Resolves with a reason code for each filter: the granted QoS, or 0x80 and more for a refusal. */
  subscribe(
    subscriptions: readonly SubscribeRequest[],
    properties: SubscribeProperties = {},
  ): Promise<readonly number[]> {
    if (this.#isOver) return Promise.reject(this.#notConnected());
    return this.#subscriptions.subscribe(subscriptions, this.#options.version === 5 ? properties : {});
  }

  /** Resolves with a reason code for each filter; before MQTT 5 with none. */
  unsubscribe(filters: readonly string[]): Promise<readonly number[]> {
    if (this.#isOver) return Promise.reject(this.#notConnected());
    return this.#subscriptions.unsubscribe(filters);
  }

  /**
   * Signs in again on the connection, by the method of `authentication`; everything else goes on meanwhile. Rejects with
   * `USAGE` without a method, and when the broker refuses: then the connection has ended.
   */
  reauthenticate(): Promise<void> {
    return this.#link === null ? Promise.reject(this.#notConnected()) : this.#link.reauthenticate();
  }

  /** Says goodbye and closes; what is not answered yet rejects with `CONNECTION_LOST`. Without effect when closed. */
  close(reasonCode: number = ReasonCode.Success): Promise<void> {
    if (this.#state === 'closed') return Promise.resolve();
    this.#isClosing = true;
    return new Promise((resolve) => {
      this.#closing.push(resolve);
      if (this.#link === null) this.#finish();
      else this.#link.end(reasonCode);
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  get #isOver(): boolean {
    return this.#state === 'closed' || this.#isClosing;
  }

  #notConnected(): DavylampError {
    return new DavylampError('CONNECTION_LOST', `not connected to ${this.#options.dialer.target}`);
  }

  #propertiesOf(options: PublishOptions): PublishProperties | null {
    if (options.properties === undefined || this.#options.version !== 5) return null;
    // Aliases are a matter of one connection, and identifiers are the broker's [MQTT-3.2.2-17] [MQTT-3.3.4-6].
    return createPublishProperties({
      ...options.properties,
      topicAlias: undefined,
      subscriptionIdentifiers: [],
    });
  }

  #nextPacketId(): number {
    do this.#packetId = (this.#packetId % 65_535) + 1;
    while (this.#outgoing.hasPacketId(this.#packetId) || this.#subscriptions.hasPacketId(this.#packetId));
    return this.#packetId;
  }

  #open(): void {
    const { dialer, clock, log, scheduler = setImmediate, maximumPacketSize, authentication } = this.#options;
    this.#retry = null;
    this.#connectedAt = -1;
    const link: BrokerLink = new BrokerLink({
      dialer,
      clock,
      log,
      scheduler,
      connect: this.#hasSession ? { ...this.#connect, cleanStart: false } : this.#connect,
      maximumPacketSize: maximumPacketSize ?? defaultMaximumPacketSize,
      ...(authentication === undefined ? {} : { authentication }),
      owner: {
        onConnected: (connack) => this.#onConnected(link, connack),
        onPublish: (packet) => this.#incoming.onPublish(packet),
        onAck: (ack) => this.#onAck(ack),
        onSuback: (packet) => this.#subscriptions.onAnswer(packet),
        onDrain: () => this.#onRoom(),
        onEnd: (error) => this.#onEnd(error),
      },
    });
    this.#link = link;
    this.#setState('connecting');
    link.start();
  }

  #onConnected(link: BrokerLink, connack: ConnackPacket): ReasonCode {
    this.#connectedAt = this.#options.clock.monotonic();
    this.#lastFault = '';
    this.#statistics.connects += 1;
    this.#hasSession = (this.#connect.properties.sessionExpiry ?? 0) > 0;
    this.#incoming.onConnected(link, connack.sessionPresent);
    this.#subscriptions.onConnected(link, connack.sessionPresent);
    this.#outgoing.onConnected(link, connack);
    const waiter = this.#waiter;
    this.#waiter = null;
    waiter?.resolve(connack);
    this.#setState('connected');
    this.#onRoom();
    return ReasonCode.Success;
  }

  #onAck(ack: AckRecord): ReasonCode {
    if (ack.type === PacketType.Pubrel) return this.#incoming.onPubrel(ack);
    this.#outgoing.onAck(ack);
    this.#onRoom();
    return ReasonCode.Success;
  }

  #onRoom(): void {
    if (this.#wantedQos === -1 || !this.#outgoing.hasRoom(this.#wantedQos)) return;
    this.#wantedQos = -1;
    this.onReady();
  }

  #onEnd(error: DavylampError | undefined): void {
    this.#link = null;
    this.#incoming.onConnectionEnd();
    this.#subscriptions.onConnectionEnd();
    this.#outgoing.onConnectionEnd();
    if (this.#backoff === null || error === undefined) {
      this.#finish(error);
      return;
    }
    const { clock, log } = this.#options;
    if (this.#connectedAt >= 0) this.#backoff.onConnectionEnd(clock.monotonic() - this.#connectedAt);
    const isHopeless = error.code === 'CONNECTION_REFUSED' || error.code === 'TLS_INVALID';
    const waitMs = isHopeless ? this.#backoff.longest() : this.#backoff.next();
    if (error.message !== this.#lastFault) log.warning(error.message, { retry_in_ms: waitMs });
    this.#lastFault = error.message;
    this.#retry = clock.after(waitMs, () => this.#open());
    this.#setState('waiting', error.message);
  }

  /** The end of the client: everything that still waits is told. */
  #finish(error?: DavylampError): void {
    this.#retry?.cancel();
    this.#retry = null;
    const reason =
      error ?? new DavylampError('CONNECTION_LOST', `client ${this.#options.clientId} was closed`);
    const waiter = this.#waiter;
    this.#waiter = null;
    waiter?.reject(reason);
    this.#outgoing.rejectAll(reason);
    this.#subscriptions.rejectAll(reason);
    const closing = this.#closing;
    this.#closing = [];
    this.#isClosing = false;
    this.#hasSession = false;
    if (this.#state !== 'closed') this.#setState('closed', error?.message);
    for (const resolve of closing) resolve();
  }

  #setState(state: ClientState, detail?: string): void {
    this.#state = state;
    this.onState(state, detail);
  }
}

/** What 3.1.1 does not allow in a CONNECT, in words; `null` = nothing. */
function optionsFault({ version, clientId, cleanStart, username, password }: ClientOptions): string | null {
  if (version !== 4) return null;
  if (clientId === '' && !cleanStart)
    return 'a session that lasts needs a client id; give one or ask for a clean session'; // [MQTT-3.1.3-7]
  if (password !== undefined && username === undefined)
    return 'MQTT 3.1.1 has no password without a user name; give one'; // 3.1.1: [MQTT-3.1.2-22]
  return null;
}

function connectPacket(options: ClientOptions): ConnectPacket {
  const { version, clientId, cleanStart, keepAliveSeconds, username, password, will } = options;
  const { sessionExpirySeconds, receiveMaximum, maximumPacketSize = defaultMaximumPacketSize } = options;
  return {
    type: PacketType.Connect,
    version,
    bridge: false,
    clientId,
    cleanStart,
    keepAlive: keepAliveSeconds,
    username,
    password: typeof password === 'string' ? Buffer.from(password) : password,
    will: will ?? null,
    properties:
      version === 5
        ? {
            ...(sessionExpirySeconds === undefined ? {} : { sessionExpiry: sessionExpirySeconds }),
            ...(receiveMaximum === undefined ? {} : { receiveMaximum }),
            maximumPacketSize,
          }
        : {},
  };
}

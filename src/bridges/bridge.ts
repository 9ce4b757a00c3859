import { Backoff, BrokerLink, type LinkOwner, type Scheduler } from '#client';
import { SparingLog, type Clock, type DavylampError, type Dialer, type Logger, type Timer } from '#base';
import type { BridgeConfig } from '#config';
import {
  PacketType,
  ReasonCode,
  reasonName,
  type AckRecord,
  type ConnackPacket,
  type ConnectPacket,
  type PublishPacket,
  type SubackPacket,
  type SubscribePacket,
  type UnsubackPacket,
} from '#mqtt';
import { createBridgeStatus, type BridgeState, type BridgeStatus } from './bridge-status.ts';
import { localConnect, localSubscribe, remoteConnect, remoteSubscribe, window } from './bridge-packets.ts';
import { KnownSession } from './known-session.ts';
import { Relay } from './relay.ts';

/** Largest packet taken from either side: MQTT's own bound; each broker has a stricter one of its own. */
const maximumPacketSize = 268_435_460;

export interface BridgeOptions {
  readonly config: BridgeConfig;
  /** Names this broker in the loop tag: unique among the brokers that are bridged together. */
  readonly brokerName: string;
  /** Into our own broker. */
  readonly localDialer: Dialer;
  readonly remoteDialer: Dialer;
  readonly clock: Clock;
  readonly log: Logger;
  /** With `config.username`. */
  readonly password?: Buffer | string;
  /** Default: `setImmediate`. */
  readonly scheduler?: Scheduler;
}

/**
 * A bridge between our broker and another one. Its queue is the queue of its session in our broker; what it does itself
 * is to keep two connections, both up or both down, and to hand packets across. The other side is dialled first: our
 * broker delivers only while there is somewhere to deliver to. Before all that, the session is made (`#prepareQueue`).
 */
export class Bridge {
  readonly #options: BridgeOptions;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #status: BridgeStatus;
  readonly #backoff: Backoff;
  readonly #out: Relay;
  readonly #in: Relay;
  #remote: BrokerLink | null = null;
  #local: BrokerLink | null = null;
  #remoteConnack: ConnackPacket | null = null;
  #connectedAt = -1;
  #retry: Timer | null = null;
  #fault: DavylampError | null = null;
  #lastLine = '';
  #isRunning = false;
  readonly #closing: (() => void)[] = [];
  /** 3.1.1: say that we are a bridge (bit 7 of the level), so that our own messages do not come back. */
  #asBridge: boolean;
  /** What our broker takes at once: learnt from its CONNACK, told to the other side. */
  #localReceiveMaximum: number = window;
  readonly #ours = new KnownSession();
  readonly #theirs = new KnownSession();
  /** The session in our broker stands since `start()`, and `#keptMs` from when we left it, on the monotonic clock. */
  #isPrepared = false;
  #keptMs = Infinity;
  #leftAt = 0;
  /**
   * Subscriptions are made before there is somewhere to deliver to: their retained messages are still to come. True at
   * first, also for a session of an earlier run: it may have ended before they came.
   */
  #isRetainedOwed = true;

  constructor(options: BridgeOptions) {
    const { config, clock, log, brokerName } = options;
    this.#options = options;
    this.#clock = clock;
    this.#log = log;
    this.#status = createBridgeStatus(clock.now());
    this.#backoff = new Backoff({ minimumMs: config.retryMinimumMs, maximumMs: config.retryMaximumMs });
    this.#asBridge = config.protocolVersion === 4;
    const shared = {
      topics: config.topics,
      brokerName,
      status: this.#status,
      refusals: new SparingLog(clock, log),
    };
    this.#out = new Relay({ ...shared, direction: 'out' });
    this.#in = new Relay({ ...shared, direction: 'in' });
  }

  get status(): Readonly<BridgeStatus> {
    return this.#status;
  }

  /** Begins to connect, and goes on for ever. */
  start(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#isPrepared = false;
    // Connections of before that are still closing: their end begins anew.
    if (this.#local === null && this.#remote === null) this.#begin();
  }

  /** Says goodbye to both brokers; the sessions, and what they hold, stay there. */
  close(): Promise<void> {
    this.#isRunning = false;
    this.#retry?.cancel();
    this.#retry = null;
    return new Promise((resolve) => {
      this.#closing.push(resolve);
      this.#endBoth();
      this.#whenBothEnded();
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #begin(): void {
    this.#retry = null;
    this.#fault = null;
    this.#connectedAt = -1;
    this.#remoteConnack = null;
    this.#setState('connecting');
    // The queue must not expire while the other side is away, however long that is.
    if (this.#clock.monotonic() - this.#leftAt > this.#keptMs / 2) this.#isPrepared = false;
    if (this.#isPrepared) this.#openRemote();
    else this.#prepareQueue();
  }

  /**
   * Makes the session in our own broker at once, so that what is published before the first connection to the other side
   * waits in its queue. Nothing is taken out of it yet: what comes is not acknowledged, and so comes again.
   */
  #prepareQueue(): void {
    const { config, localDialer } = this.#options;
    const asked = localSubscribe(config, null, 2);
    const leave = (): void => {
      this.#isPrepared = true;
      this.#local?.end();
    };
    const owner: LinkOwner = {
      onConnected: (connack) => {
        this.#onLocalConnack(connack);
        this.#localReceiveMaximum = Math.min(window, receiveMaximumOf(connack));
        if (asked === null || this.#ours.isSubscribed) leave();
        else send(this.#local, asked);
        return ReasonCode.Success;
      },
      onPublish: () => ReasonCode.Success,
      onAck: () => ReasonCode.Success,
      onSuback: (packet) => {
        const fault = subackFault(packet, asked);
        if (fault !== ReasonCode.Success) return fault;
        this.#isGranted(packet, asked);
        leave();
        return ReasonCode.Success;
      },
      onDrain: () => {},
      onEnd: (error) => {
        this.#onLocalEnd();
        if (this.#isPrepared && this.#isRunning) this.#openRemote();
        else this.#onEnd(error);
      },
    };
    this.#local = this.#createLink(localDialer, owner, localConnect(config, 1));
    this.#local.start();
  }

  #openRemote(): void {
    const { config, password } = this.#options;
    const owner: LinkOwner = {
      onConnected: (connack) => this.#onRemoteConnected(connack),
      onPublish: (packet: PublishPacket) => this.#in.onPublish(packet),
      onAck: (ack) => this.#onAck(ack, this.#in, this.#out),
      onSuback: (packet) => {
        const asked = remoteSubscribe(config, this.#remoteConnack);
        const fault = subackFault(packet, asked);
        if (fault === ReasonCode.Success) this.#theirs.isSubscribed = this.#isGranted(packet, asked);
        return fault;
      },
      onDrain: () => this.#out.onDrain(),
      onEnd: (error) => {
        this.#remote = null;
        this.#onEnd(error);
      },
    };
    const connect = remoteConnect(config, password, this.#localReceiveMaximum, this.#asBridge);
    this.#remote = this.#createLink(this.#options.remoteDialer, owner, connect);
    this.#remote.start();
  }

  #onRemoteConnected(connack: ConnackPacket): ReasonCode {
    this.#remoteConnack = connack;
    this.#theirs.onConnack(connack);
    // What the other side sends right away waits until our broker can take it.
    this.#remote?.suspend();
    this.#openLocal(connack);
    return ReasonCode.Success;
  }

  #openLocal(remoteConnack: ConnackPacket): void {
    const { config } = this.#options;
    const owner: LinkOwner = {
      onConnected: (connack) => this.#onLocalConnected(connack, remoteConnack),
      onPublish: (packet: PublishPacket) => this.#out.onPublish(packet),
      onAck: (ack) => this.#onAck(ack, this.#out, this.#in),
      onSuback: (packet) => {
        const asked = localSubscribe(config, remoteConnack);
        const fault = subackFault(packet, asked);
        if (fault !== ReasonCode.Success) return fault;
        this.#ours.isSubscribed = this.#isGranted(packet, asked);
        this.#isRetainedOwed = false;
        return ReasonCode.Success;
      },
      onDrain: () => this.#in.onDrain(),
      onEnd: (error) => {
        this.#onLocalEnd();
        this.#onEnd(error);
      },
    };
    const connect = localConnect(config, remoteConnack.properties.receiveMaximum);
    this.#local = this.#createLink(this.#options.localDialer, owner, connect);
    this.#local.start();
  }

  #createLink(dialer: Dialer, owner: LinkOwner, connect: ConnectPacket): BrokerLink {
    const { clock, log, scheduler = setImmediate } = this.#options;
    return new BrokerLink({ dialer, clock, log, scheduler, owner, connect, maximumPacketSize });
  }

  #onLocalConnack(connack: ConnackPacket): void {
    this.#ours.onConnack(connack);
    if (!connack.sessionPresent) this.#isRetainedOwed = true;
    this.#keptMs = (connack.properties.sessionExpiry ?? Infinity) * 1000;
  }

  #onLocalEnd(): void {
    this.#local = null;
    this.#leftAt = this.#clock.monotonic();
  }

  #onLocalConnected(connack: ConnackPacket, remoteConnack: ConnackPacket): ReasonCode {
    const local = this.#local;
    const remote = this.#remote;
    if (local === null || remote === null) return ReasonCode.Success;
    this.#onLocalConnack(connack);
    const { config } = this.#options;
    const receiveMaximum = receiveMaximumOf(connack);
    if (config.protocolVersion === 5 && receiveMaximum < this.#localReceiveMaximum) {
      // Our broker takes less than when it was last asked, and than the other side was promised: once more.
      this.#localReceiveMaximum = receiveMaximum;
      this.#endBoth();
      return ReasonCode.Success;
    }
    const isForgotten = this.#theirs.isNew && this.#status.connects > 0 && !config.cleanStart;
    this.#startRelays(local, remote, connack, remoteConnack);
    this.#connectedAt = this.#clock.monotonic();
    this.#status.connects += 1;
    this.#lastLine = '';
    this.#setState('connected');
    this.#log.notice(`connected to ${this.#options.remoteDialer.target}`);
    if (isForgotten)
      this.#log.warning('the other side has forgotten our session: what was under way may come twice');
    // A session that has its subscriptions is left alone; 3.1.1 would send all retained messages again.
    if (!this.#ours.isSubscribed)
      send(local, localSubscribe(config, remoteConnack, this.#isRetainedOwed ? 0 : 1));
    if (!this.#theirs.isSubscribed) send(remote, remoteSubscribe(config, remoteConnack));
    remote.unsuspend();
    return ReasonCode.Success;
  }

  #startRelays(local: BrokerLink, remote: BrokerLink, ours: ConnackPacket, theirs: ConnackPacket): void {
    const [isOursPresent, isTheirsPresent] = [!this.#ours.isNew, !this.#theirs.isNew];
    this.#ours.isNew = false;
    this.#theirs.isNew = false;
    this.#out.start(local, remote, {
      receiverVersion: this.#options.config.protocolVersion,
      senderSessionPresent: isOursPresent,
      receiverSessionPresent: isTheirsPresent,
      receiveMaximum: receiveMaximumOf(theirs),
      maximumQos: theirs.properties.maximumQos ?? 2,
      retainAvailable: theirs.properties.retainAvailable ?? true,
    });
    this.#in.start(remote, local, {
      receiverVersion: 5,
      senderSessionPresent: isTheirsPresent,
      receiverSessionPresent: isOursPresent,
      receiveMaximum: receiveMaximumOf(ours),
      maximumQos: ours.properties.maximumQos ?? 2,
      retainAvailable: ours.properties.retainAvailable ?? true,
    });
  }

  /** An acknowledgement on one connection: PUBREL goes on with what that side sends, the others answer what it got. */
  #onAck(ack: AckRecord, sending: Relay, receiving: Relay): ReasonCode {
    if (ack.type === PacketType.Pubrel) sending.onRelease(ack);
    else receiving.onAnswer(ack);
    return ReasonCode.Success;
  }

  /** Tells of refused subscriptions; they are asked for again with the next connection. */
  #isGranted(answer: SubackPacket | UnsubackPacket, asked: SubscribePacket | null): boolean {
    let granted = true;
    for (const [index, code] of answer.reasonCodes.entries()) {
      if (code < 0x80) continue;
      granted = false;
      this.#log.warning('subscription is refused', {
        filter: asked?.subscriptions[index]?.filter,
        reason: reasonName(code),
      });
    }
    return granted;
  }

  #endBoth(): void {
    this.#out.stop();
    this.#in.stop();
    this.#local?.end();
    this.#remote?.end();
  }

  /** One connection is over: so is the other, that both sessions may begin again where they were. */
  #onEnd(error: DavylampError | undefined): void {
    if (error !== undefined) this.#fault ??= error;
    this.#endBoth();
    this.#whenBothEnded();
  }

  #whenBothEnded(): void {
    if (this.#local !== null || this.#remote !== null) return;
    if (this.#isRunning) this.#tryAgain();
    else this.#setState('closed');
    for (const resolve of this.#closing.splice(0)) resolve();
  }

  #tryAgain(): void {
    if (this.#retry !== null) return;
    const fault = this.#fault;
    if (this.#connectedAt >= 0) this.#backoff.onConnectionEnd(this.#clock.monotonic() - this.#connectedAt);
    const isHopeless = fault?.code === 'CONNECTION_REFUSED' || fault?.code === 'TLS_INVALID';
    let waitMs = isHopeless ? this.#backoff.longest() : this.#backoff.next();
    const wasHandshake =
      this.#isPrepared && this.#remoteConnack === null && fault !== null && fault.code !== 'CONNECT_FAILED';
    if (this.#options.config.protocolVersion === 4 && wasHandshake) {
      // Many brokers do not know bit 7 of the level and turn it away: the plain level is tried next, and so on in turn.
      if (this.#asBridge) waitMs = 0;
      this.#asBridge = !this.#asBridge;
    }
    if (fault !== null && waitMs > 0) this.#tell(fault.message, waitMs);
    this.#setState('waiting');
    this.#retry = this.#clock.after(waitMs, () => this.#begin());
  }

  #tell(message: string, waitMs: number): void {
    this.#status.lastError = message;
    if (message === this.#lastLine) return;
    this.#lastLine = message;
    this.#log.warning(message, { retry_in_ms: waitMs });
  }

  #setState(state: BridgeState): void {
    this.#status.state = state;
    this.#status.since = this.#clock.now();
  }
}

function send(link: BrokerLink | null, packet: SubscribePacket | null): void {
  if (packet !== null) link?.outbox.packet(packet);
}

/** QoS 1 and 2 messages that a broker takes at once (MQTT 5, 3.2.2.3.3). */
function receiveMaximumOf(connack: ConnackPacket): number {
  return connack.properties.receiveMaximum ?? 65_535;
}

/** 0 = the answer fits what was asked. [MQTT-3.8.4-6] */
function subackFault(answer: SubackPacket | UnsubackPacket, asked: SubscribePacket | null): ReasonCode {
  const fits =
    answer.type === PacketType.Suback &&
    asked !== null &&
    answer.packetId === asked.packetId &&
    answer.reasonCodes.length === asked.subscriptions.length;
  return fits ? ReasonCode.Success : ReasonCode.ProtocolError;
}

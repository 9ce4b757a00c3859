import { BrokerLink, type LinkOwner } from '#client';
import { DavylampError, type Clock, type Dialer, type Logger, type Timer } from '#base';
import {
  PacketType,
  ReasonCode,
  reasonName,
  type AckRecord,
  type ConnackPacket,
  type ConnectPacket,
  type PublishPacket,
} from '#mqtt';
import { Addresses, Probe } from './addresses.ts';
import type { BridgeOptions } from './bridge-options.ts';
import { changeState, createBridgeStatus, type BridgeStatus } from './bridge-status.ts';
import {
  localConnect,
  localSubscribe,
  nameOf,
  receiveMaximumOf,
  remoteConnect,
  remoteSubscribe,
  remoteUnsubscribe,
  send,
  subackFault,
  windowOf,
} from './bridge-packets.ts';
import { KnownSession } from './known-session.ts';
import { OwnSession } from './own-session.ts';
import { inSessions, outSessions } from './relay-sessions.ts';
import { LazyStart } from './lazy-start.ts';
import { LinkNotices } from './link-notices.ts';
import { prepareQueue } from './queue-preparation.ts';
import { createRelays } from './relay-pair.ts';
import type { Relay } from './relay.ts';
import { Retry } from './retry.ts';
import { isGranted } from './subscription-answers.ts';

/** Largest packet taken from either side: MQTT's own bound; each broker has a stricter one of its own. */
const maximumPacketSize = 268_435_460;

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
  readonly #retry: Retry;
  readonly #addresses: Addresses;
  readonly #probe: Probe;
  readonly #notices: LinkNotices;
  /** `null` = it connects without waiting for work. */
  readonly #lazy: LazyStart | null;
  readonly #out: Relay;
  readonly #in: Relay;
  #remote: BrokerLink | null = null;
  #local: BrokerLink | null = null;
  #remoteConnack: ConnackPacket | null = null;
  /** What the other broker calls itself; `null` = nothing. */
  #remoteName: string | null = null;
  #connectedAt = -1;
  #pause: Timer | null = null;
  #fault: DavylampError | null = null;
  #lastLine = '';
  #isRunning = false;
  /** The link is ended by us, to be made again at once. */
  #isParting = false;
  /** The link that stands is the last one. */
  #isLast = false;
  readonly #closing: (() => void)[] = [];
  readonly #ours: OwnSession;
  /** Our sessions at the other broker: one for each address, as they may be of several brokers. */
  readonly #places = new Map<Dialer, KnownSession>();
  #theirs = new KnownSession();
  /** Where packets last crossed to. */
  #lastPlace: Dialer | null = null;

  constructor(options: BridgeOptions) {
    const { config, clock, log } = options;
    this.#options = options;
    this.#clock = clock;
    this.#log = log;
    this.#status = createBridgeStatus(clock.now());
    this.#ours = new OwnSession(clock, windowOf(config));
    this.#addresses = new Addresses(
      [options.remoteDialer, ...(options.moreDialers ?? [])],
      config.roundRobin === true,
    );
    this.#retry = new Retry(config, this.#addresses);
    this.#probe = new Probe(clock);
    this.#notices = new LinkNotices(config, options.publishLocally ?? (() => {}));
    this.#lazy =
      config.startType === 'lazy'
        ? new LazyStart({
            clock,
            threshold: config.lazyThreshold ?? 10,
            idleMs: config.lazyIdleMs ?? 60_000,
            depth: options.queueDepth ?? (() => Infinity),
          })
        : null;
    const relays = createRelays(options, this.#status, {
      onNoRoom: (direction, topic) => this.#onNoRoom(direction, topic),
      onCrossed: (topic) => this.#onCrossed(topic),
    });
    this.#out = relays.out;
    this.#in = relays.in;
  }

  get status(): Readonly<BridgeStatus> {
    return this.#status;
  }

  /** Where the other broker is: `mqtts://relay.example:8883`. Of several addresses, the one in use or tried next. */
  get target(): string {
    return this.#addresses.current.target;
  }

  /** Begins to connect, and goes on for ever. */
  start(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#isLast = false;
    this.#ours.isPrepared = false;
    this.#notices.onDown();
    // Connections of before that are still closing: their end begins anew.
    if (this.#local === null && this.#remote === null) this.#begin();
  }

  /**
   * Resolves when what is published from now on waits in the queue, or that has failed and was logged. Until then nobody
   * should be let in who publishes.
   */
  get queueStands(): Promise<void> {
    return this.#ours.stands.promise;
  }

  /** Says goodbye to both brokers; the sessions, and what they hold, stay there. */
  close(): Promise<void> {
    this.#isRunning = false;
    this.#ours.stands.resolve();
    this.#pause?.cancel();
    this.#pause = null;
    this.#notices.onLeaving(this.#remote);
    return new Promise((resolve) => {
      this.#closing.push(resolve);
      this.#endBoth();
      this.#whenBothEnded();
    });
  }

  /** The same when the link that stands is lost; where there is none, now. */
  closeWhenLost(): Promise<void> {
    if (this.#status.state !== 'connected') return this.close();
    this.#isLast = true;
    return new Promise((resolve) => {
      this.#closing.push(resolve);
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #begin(): void {
    this.#pause = null;
    this.#fault = null;
    this.#connectedAt = -1;
    this.#remoteConnack = null;
    changeState(this.#status, 'connecting', this.#clock.now());
    if (this.#ours.isAging) this.#ours.isPrepared = false;
    if (this.#ours.isPrepared) this.#approach();
    else this.#prepareQueue();
  }

  /** The queue stands: connects, now or as soon as there is enough to do. */
  #approach(): void {
    if (this.#lazy === null) {
      this.#openRemote();
      return;
    }
    changeState(this.#status, 'idle', this.#clock.now());
    const isAging = (): boolean => this.#ours.isAging;
    this.#lazy.untilWork(isAging, () => {
      if (isAging()) this.#begin();
      else {
        changeState(this.#status, 'connecting', this.#clock.now());
        this.#openRemote();
      }
    });
  }

  #prepareQueue(): void {
    const { config, localDialer } = this.#options;
    this.#local = prepareQueue({
      config,
      ours: this.#ours,
      log: this.#log,
      subscribed: this.#options.subscribed ?? (() => []),
      createLink: (owner, connect) => this.#createLink(localDialer, owner, connect),
      onEnd: (error) => {
        this.#onLocalEnd();
        this.#ours.stands.resolve(); // or our own broker has refused, which is told
        if (this.#ours.isPrepared && this.#isRunning) this.#approach();
        else this.#onEnd(error);
      },
    });
    this.#local.start();
  }

  #openRemote(): void {
    const { config, brokerName, password } = this.#options;
    const owner: LinkOwner = {
      onConnected: (connack) => this.#onRemoteConnected(connack),
      onPublish: (packet: PublishPacket) => this.#in.onPublish(packet),
      onAck: (ack) => this.#onAck(ack, this.#in, this.#out),
      onSuback: (packet) => {
        const asked = remoteSubscribe(config, this.#remoteConnack);
        const fault = subackFault(packet, asked);
        if (fault === ReasonCode.Success && packet.type === PacketType.Suback)
          this.#theirs.isSubscribed = isGranted(packet, asked, this.#log);
        return fault;
      },
      onDrain: () => this.#out.onDrain(),
      onRefused: (connack) => this.#notices.onRefused(connack.reasonCode),
      onDisconnect: (packet) => this.#out.onReceiverLeft(packet.reasonCode),
      onEnd: (error) => {
        this.#remote = null;
        this.#onEnd(error);
      },
    };
    const will = this.#notices.will();
    const connect = remoteConnect(
      config,
      brokerName,
      password,
      this.#in.isSuspicious ? 1 : this.#ours.receiveMaximum,
      this.#retry.asBridge,
      will,
    );
    const place = this.#addresses.current;
    this.#theirs = this.#places.get(place) ?? new KnownSession();
    this.#places.set(place, this.#theirs);
    this.#remote = this.#createLink(place, owner, connect);
    this.#remote.outbox.hold(this.#clock, config.flushMs ?? 0);
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
        this.#ours.isSubscribed = isGranted(packet, asked, this.#log);
        this.#ours.isRetainedOwed = false;
        return ReasonCode.Success;
      },
      onDrain: () => this.#in.onDrain(),
      onDisconnect: (packet) => this.#in.onReceiverLeft(packet.reasonCode),
      onEnd: (error) => {
        this.#onLocalEnd();
        this.#onEnd(error);
      },
    };
    const window = this.#out.isSuspicious ? 1 : remoteConnack.properties.receiveMaximum;
    const connect = localConnect(config, window);
    this.#local = this.#createLink(this.#options.localDialer, owner, connect);
    this.#local.start();
  }

  #createLink(dialer: Dialer, owner: LinkOwner, connect: ConnectPacket): BrokerLink {
    const { clock, log, scheduler = setImmediate } = this.#options;
    return new BrokerLink({ dialer, clock, log, scheduler, owner, connect, maximumPacketSize });
  }

  #onLocalEnd(): void {
    this.#local = null;
    this.#ours.onLeft();
  }

  #onLocalConnected(connack: ConnackPacket, remoteConnack: ConnackPacket): ReasonCode {
    const local = this.#local;
    const remote = this.#remote;
    if (local === null || remote === null) return ReasonCode.Success;
    this.#ours.onConnack(connack);
    const { config } = this.#options;
    const receiveMaximum = receiveMaximumOf(connack);
    if (config.protocolVersion === 5 && receiveMaximum < this.#ours.receiveMaximum) {
      // Our broker takes less than when it was last asked, and than the other side was promised: once more.
      this.#ours.receiveMaximum = receiveMaximum;
      this.#isParting = true;
      this.#endBoth();
      return ReasonCode.Success;
    }
    const isTheirsNew = this.#theirs.isNew;
    const isForgotten = isTheirsNew && this.#theirs.hasCarried && !config.cleanStart;
    this.#startRelays(local, remote, connack, remoteConnack);
    this.#connectedAt = this.#clock.monotonic();
    this.#status.connects += 1;
    this.#lastLine = '';
    changeState(this.#status, 'connected', this.#clock.now());
    this.#addresses.onConnected();
    this.#log.notice(`connected to ${this.#addresses.current.target}`);
    this.#notices.onConnected(remote, remoteConnack);
    this.#watchLink();
    if (isForgotten)
      this.#log.warning('the other side has forgotten our session: what was under way may come twice');
    // A session that has its subscriptions is left alone; 3.1.1 would send all retained messages again.
    if (!this.#ours.isSubscribed)
      send(local, localSubscribe(config, remoteConnack, this.#ours.isRetainedOwed ? 0 : 1));
    if (!isTheirsNew && config.attemptUnsubscribe !== false)
      send(remote, remoteUnsubscribe(config, this.#options.formerTopics ?? []));
    if (!this.#theirs.isSubscribed) send(remote, remoteSubscribe(config, remoteConnack));
    remote.unsuspend();
    return ReasonCode.Success;
  }

  #startRelays(local: BrokerLink, remote: BrokerLink, ours: ConnackPacket, theirs: ConnackPacket): void {
    const { config } = this.#options;
    const place = this.#addresses.current;
    this.#remoteName = nameOf(theirs);
    const presence = {
      remoteName: this.#remoteName,
      ours: !this.#ours.isNew,
      theirs: !this.#theirs.isNew,
      // At first it is not known where they crossed to in an earlier run.
      isOtherPlace: (config.moreAddresses ?? []).length > 0 && place !== this.#lastPlace,
    };
    this.#lastPlace = place;
    this.#ours.isNew = false;
    this.#theirs.isNew = false;
    this.#theirs.hasCarried = true;
    this.#out.start(local, remote, outSessions(config, presence, theirs));
    this.#in.start(remote, local, inSessions(presence, ours));
  }

  /** An acknowledgement on one connection: PUBREL goes on with what that side sends, the others answer what it got. */
  #onAck(ack: AckRecord, sending: Relay, receiving: Relay): ReasonCode {
    if (ack.type === PacketType.Pubrel) sending.onRelease(ack);
    else receiving.onAnswer(ack);
    return ReasonCode.Success;
  }

  /** A lazy link parts when it has nothing to do, a second choice when the first answers again. */
  #watchLink(): void {
    const { preferred } = this.#addresses;
    const part = (): void => {
      this.#isParting = true;
      this.#notices.onLeaving(this.#remote);
      this.#endBoth();
    };
    if (preferred !== null && this.#options.config.startType !== 'once') {
      this.#probe.start(preferred, () => {
        this.#log.notice(`${preferred.target} answers again; going back to it`);
        part();
      });
    }
    this.#lazy?.untilIdle(() => this.#status.sent + this.#status.received, part);
  }

  /** Ended, to be made again after a pause: the message comes again then. */
  #onNoRoom(direction: 'out' | 'in', topic: string): void {
    const target = direction === 'out' ? this.target : 'our own broker';
    this.#status.noRoom += 1;
    this.#fault ??= new DavylampError(
      'REFUSED',
      `${target} has no room for messages now (${reasonName(ReasonCode.QuotaExceeded)}, topic ${topic}); they wait here`,
    );
    this.#notices.onLeaving(this.#remote);
    this.#endBoth();
  }

  /** Told once: both go on, as neither knows whether the other one will. */
  #onCrossed(topic: string): void {
    this.#status.crossed += 1;
    if (this.#status.crossed > 1) return;
    this.#log.warning(
      'the other broker has a bridge to this one that carries the same topics: messages come twice; let only one of the two bridges carry them',
      { topic, other: this.#remoteName ?? undefined },
    );
  }

  #endBoth(): void {
    this.#probe.stop();
    this.#lazy?.stop();
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
    if (this.#status.state === 'connected') this.#notices.onDown();
    if (this.#isRunning && !this.#isLast) this.#tryAgain();
    else {
      this.#isRunning = false;
      changeState(this.#status, 'closed', this.#clock.now());
    }
    for (const resolve of this.#closing.splice(0)) resolve();
  }

  #tryAgain(): void {
    if (this.#pause !== null) return;
    const isParting = this.#isParting;
    this.#isParting = false;
    const fault = isParting ? null : this.#fault;
    const { isPrepared } = this.#ours;
    const wasConnected = this.#connectedAt >= 0;
    const waitMs = this.#retry.after({
      fault,
      connectedMs: wasConnected ? this.#clock.monotonic() - this.#connectedAt : -1,
      wasRemote: isPrepared && this.#remoteConnack === null,
    });
    // Made once, by whichever way leads there.
    const isOver = isPrepared && !isParting && (waitMs > 0 || wasConnected);
    if (isOver && this.#options.config.startType === 'once') {
      this.#end(fault);
      return;
    }
    if (fault !== null && waitMs > 0) this.#tell(fault.message, waitMs);
    changeState(this.#status, waitMs > 0 ? 'waiting' : 'connecting', this.#clock.now());
    this.#pause = this.#clock.after(waitMs, () => this.#begin());
  }

  /** The one connection that was to be made is over. */
  #end(fault: DavylampError | null): void {
    this.#isRunning = false;
    this.#status.lastError = fault?.message ?? null;
    changeState(this.#status, 'closed', this.#clock.now());
    this.#log.warning(`${fault?.message ?? 'the link is over'}; it is not made again (start type once)`);
  }

  #tell(message: string, waitMs: number): void {
    this.#status.lastError = message;
    if (message === this.#lastLine) return;
    this.#lastLine = message;
    this.#log.warning(message, { retry_in_ms: waitMs });
  }
}

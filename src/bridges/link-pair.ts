import { BrokerLink, type LinkOwner } from '#client';
import type { DavylampError, Dialer } from '#base';
import {
  PacketType,
  ReasonCode,
  type AckRecord,
  type ConnackPacket,
  type ConnectPacket,
  type PublishPacket,
} from '#mqtt';
import type { Addresses } from './addresses.ts';
import type { BridgeOptions } from './bridge-options.ts';
import type { BridgeStatus } from './bridge-status.ts';
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
} from './bridge-packets.ts';
import { KnownSession } from './known-session.ts';
import type { LinkNotices } from './link-notices.ts';
import type { OwnSession } from './own-session.ts';
import { prepareQueue } from './queue-preparation.ts';
import { createRelays, type RelayEvents } from './relay-pair.ts';
import { inSessions, outSessions } from './relay-sessions.ts';
import type { Relay } from './relay.ts';
import { isGranted } from './subscription-answers.ts';

/** Largest packet taken from either side: MQTT's own bound; each broker has a stricter one of its own. */
const maximumPacketSize = 268_435_460;

/** What a pair of connections has to tell its bridge. */
export interface LinkPairOwner extends Pick<RelayEvents, 'onNoRoom'> {
  /** Both stand, and packets cross. */
  readonly onConnected: (remote: BrokerLink, remoteConnack: ConnackPacket) => void;
  /** Our broker takes less at once than the other side was promised: both are to be made again. */
  readonly onPromiseBroken: () => void;
  /** One of the two is over; `undefined`: it was ended by us. */
  readonly onEnd: (error: DavylampError | undefined) => void;
}

/** What a bridge gives to its connections. */
export interface LinkPairParts {
  readonly options: BridgeOptions;
  readonly status: BridgeStatus;
  readonly ours: OwnSession;
  readonly addresses: Addresses;
  readonly notices: LinkNotices;
  readonly owner: LinkPairOwner;
}

/**
 * The two connections of a bridge, and what crosses between them. The other side is dialled first: our broker delivers
 * only while there is somewhere to deliver to. When they are made, and made again, is the bridge's affair.
 */
export class LinkPair {
  readonly #options: BridgeOptions;
  readonly #status: BridgeStatus;
  readonly #ours: OwnSession;
  readonly #addresses: Addresses;
  readonly #notices: LinkNotices;
  readonly #owner: LinkPairOwner;
  readonly #out: Relay;
  readonly #in: Relay;
  #remote: BrokerLink | null = null;
  #local: BrokerLink | null = null;
  #remoteConnack: ConnackPacket | null = null;
  /** What the other broker calls itself; `null` = nothing. */
  #remoteName: string | null = null;
  /** Our sessions at the other broker: one for each address, as they may be of several brokers. */
  readonly #places = new Map<Dialer, KnownSession>();
  #theirs = new KnownSession();
  /** Where packets last crossed to. */
  #lastPlace: Dialer | null = null;

  constructor({ options, status, ours, addresses, notices, owner }: LinkPairParts) {
    this.#options = options;
    this.#status = status;
    this.#ours = ours;
    this.#addresses = addresses;
    this.#notices = notices;
    this.#owner = owner;
    const relays = createRelays(options, status, {
      onNoRoom: owner.onNoRoom,
      onCrossed: (topic) => this.#onCrossed(topic),
    });
    this.#out = relays.out;
    this.#in = relays.in;
  }

  /** To the other broker; `null`: there is none. */
  get remote(): BrokerLink | null {
    return this.#remote;
  }

  /** Neither is there, nor still closing. */
  get isOver(): boolean {
    return this.#local === null && this.#remote === null;
  }

  /** The other broker has let us in, at the last `open`. */
  get hasReachedRemote(): boolean {
    return this.#remoteConnack !== null;
  }

  /** Makes the queue, with the connection to our own broker alone; `onEnd` when that is over, well or not. */
  prepare(onEnd: (error: DavylampError | undefined) => void): void {
    const { config, localDialer, log, subscribed = () => [] } = this.#options;
    this.#local = prepareQueue({
      config,
      ours: this.#ours,
      log,
      subscribed,
      createLink: (owner, connect) => this.#createLink(localDialer, owner, connect),
      onEnd: (error) => {
        this.#onLocalEnd();
        onEnd(error);
      },
    });
    this.#local.start();
  }

  /** Dials the other broker, and ours when that one has let us in. `asBridge`: 3.1.1, with bit 7 of the level. */
  open(asBridge: boolean): void {
    const { config, brokerName, password } = this.#options;
    this.#remoteConnack = null;
    const owner: LinkOwner = {
      onConnected: (connack) => this.#onRemoteConnected(connack),
      onPublish: (packet: PublishPacket) => this.#in.onPublish(packet),
      onAck: (ack) => this.#onAck(ack, this.#in, this.#out),
      onSuback: (packet) => {
        const asked = remoteSubscribe(config, this.#remoteConnack);
        const fault = subackFault(packet, asked);
        if (fault === ReasonCode.Success && packet.type === PacketType.Suback)
          this.#theirs.isSubscribed = isGranted(packet, asked, this.#options.log);
        return fault;
      },
      onDrain: () => this.#out.onDrain(),
      onRefused: (connack) => this.#notices.onRefused(connack.reasonCode),
      onDisconnect: (packet) => this.#out.onReceiverLeft(packet.reasonCode),
      onEnd: (error) => {
        this.#remote = null;
        this.#owner.onEnd(error);
      },
    };
    const will = this.#notices.will();
    const window = this.#in.isSuspicious ? 1 : this.#ours.receiveMaximum;
    const connect = remoteConnect(config, brokerName, password, window, asBridge, will);
    const place = this.#addresses.current;
    this.#theirs = this.#places.get(place) ?? new KnownSession();
    this.#places.set(place, this.#theirs);
    this.#remote = this.#createLink(place, owner, connect);
    this.#remote.outbox.hold(this.#options.clock, config.flushMs ?? 0);
    this.#remote.start();
  }

  /** Ends both; the owner is told of each. */
  end(): void {
    this.#out.stop();
    this.#in.stop();
    this.#local?.end();
    this.#remote?.end();
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
    const { config, localDialer, log } = this.#options;
    const owner: LinkOwner = {
      onConnected: (connack) => this.#onLocalConnected(connack, remoteConnack),
      onPublish: (packet: PublishPacket) => this.#out.onPublish(packet),
      onAck: (ack) => this.#onAck(ack, this.#out, this.#in),
      onSuback: (packet) => {
        const asked = localSubscribe(config, remoteConnack);
        const fault = subackFault(packet, asked);
        if (fault !== ReasonCode.Success) return fault;
        this.#ours.isSubscribed = isGranted(packet, asked, log);
        this.#ours.isRetainedOwed = false;
        return ReasonCode.Success;
      },
      onDrain: () => this.#in.onDrain(),
      onDisconnect: (packet) => this.#in.onReceiverLeft(packet.reasonCode),
      onEnd: (error) => {
        this.#onLocalEnd();
        this.#owner.onEnd(error);
      },
    };
    const window = this.#out.isSuspicious ? 1 : remoteConnack.properties.receiveMaximum;
    const connect = localConnect(config, window);
    this.#local = this.#createLink(localDialer, owner, connect);
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
    const { config, log, formerTopics = [] } = this.#options;
    const receiveMaximum = receiveMaximumOf(connack);
    if (config.protocolVersion === 5 && receiveMaximum < this.#ours.receiveMaximum) {
      this.#ours.receiveMaximum = receiveMaximum;
      this.#owner.onPromiseBroken();
      return ReasonCode.Success;
    }
    const isTheirsNew = this.#theirs.isNew;
    const isForgotten = isTheirsNew && this.#theirs.hasCarried && !config.cleanStart;
    this.#startRelays(local, remote, connack, remoteConnack);
    this.#owner.onConnected(remote, remoteConnack);
    if (isForgotten)
      log.warning('the other side has forgotten our session: what was under way may come twice');
    // A session that has its subscriptions is left alone; 3.1.1 would send all retained messages again.
    if (!this.#ours.isSubscribed)
      send(local, localSubscribe(config, remoteConnack, this.#ours.isRetainedOwed ? 0 : 1));
    if (!isTheirsNew && config.attemptUnsubscribe !== false)
      send(remote, remoteUnsubscribe(config, formerTopics));
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

  /** Told once: both go on, as neither knows whether the other one will. */
  #onCrossed(topic: string): void {
    this.#status.crossed += 1;
    if (this.#status.crossed > 1) return;
    this.#options.log.warning(
      'the other broker has a bridge to this one that carries the same topics: messages come twice; let only one of the two bridges carry them',
      { topic, other: this.#remoteName ?? undefined },
    );
  }
}

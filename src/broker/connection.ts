import type { Transport, TransportHandler } from '#base';
import {
  FrameReader,
  PacketType,
  ProtocolVersion,
  ReasonCode,
  reasonName,
  writeAck,
  type AckPacket,
  type FrameSink,
  type Packet,
  type UserProperty,
  type Will,
} from '#mqtt';
import type { LimitsConfig } from '#config';
import type { BrokerCore } from './core.ts';
import { Deferred } from './delivery/deferred.ts';
import { encodeFitting, type Receiver } from './delivery/encode-fitting.ts';
import { WaitingFrames } from './delivery/waiting-frames.ts';
import { localAddress } from './bounds/admission.ts';
import { packetsAtAStretch } from './bounds/fair-share.ts';
import { createThrottle, type Throttle } from './bounds/throttle.ts';
import type { ConnectionEnd } from './events.ts';
import type { OutgoingAliases } from './delivery/outgoing-aliases.ts';
import type { Authentication } from './handlers/auth.ts';
import { isFinalAnswer } from './handlers/acknowledgements.ts';
import { onEarlyFrame, onFrame } from './handlers/dispatch.ts';
import { Outbox, type OutboxOwner } from './outbox.ts';
import { nothingPublished, PauseReason, Phase, type Fate, type LastPublish } from './phase.ts';
import type { Identity, ListenerProfile } from './ports.ts';
import type { Session } from './sessions/session.ts';

/** Largest packets that fit into one WebSocket message: a browser's client sends what waits as one. */
const packetsPerMessage = 16;

/** Two for each packet id (PUBREC and PUBCOMP): only who repeats itself without end waits for more. */
const maximumWaitingAnswers = 2 * 65_535;

/** One client's connection, from its first byte to its last. */
export class Connection implements FrameSink, TransportHandler, OutboxOwner, Receiver {
  readonly core: BrokerCore;
  readonly transport: Transport;
  readonly profile: ListenerProfile;
  /** Of its listener, or the broker's. */
  readonly limits: LimitsConfig;
  /** Prefix of its topics that the client does not see; empty = none. */
  readonly mountPoint: string;
  readonly outbox: Outbox;
  /** The outbox does. */
  readonly looksAfterWrite = true;
  /** What it may send; `null` = as much as it likes. */
  readonly throttle: Throttle | null;
  /** In `core.connections`. */
  place = -1;
  phase: Phase = Phase.AwaitingConnect;
  version: ProtocolVersion = ProtocolVersion.V311;
  session: Session | null = null;
  identity: Identity | null = null;
  /** As CONNECT gave it. */
  claimedId: string | null = null;
  will: Will | null = null;
  /** It goes on with a session of an earlier connection. */
  isResumed = false;
  /** What it came in by, for `Authenticator.isStillWelcome`. */
  ticket = '';
  /** The method that CONNECT named; `null` = none. */
  authentication: Authentication | null = null;
  /** 0 = the client is not watched. */
  keepAliveMs = 0;
  /** Monotonic. */
  readonly acceptedAt: number;
  lastSeen: number;
  /** Wall time at which a refused message was last logged; each ten seconds is enough. */
  lastRefusalLogged = 0;
  /** Messages at QoS 1 and 2 that may be unacknowledged towards the client. */
  sendWindow = 0;
  /** What the client takes; `Infinity` when it did not say. */
  maximumPacketSize = Infinity;
  limitsPacketSize = false;
  /** It asked to be told why in words (MQTT 5, 3.1.2.11.7). */
  wantsReasons = true;
  /** It calls itself a bridge (bit 7 of the protocol level): its subscriptions are no-local and retain-as-published. */
  isBridge = false;
  /** The session expiry as CONNECT gave it: DISCONNECT may not make one out of none [MQTT-3.14.2-2]. */
  connectExpirySeconds = 0;
  /** Aliases towards the client; `null` when it takes none. */
  aliases: OutgoingAliases | null = null;
  /** Topics by the client's aliases; `null` until the first. */
  incomingAliases: (string | undefined)[] | null = null;
  /** PUBLISH packets at QoS 1 and 2 of the client that are not answered finally. */
  openInbound = 0;
  /** Sessions whose queues this publisher has to wait for; `null` until the first. */
  heldBy: Set<Session> | null = null;
  readonly last: LastPublish = nothingPublished();
  /** Packets until it is somebody else's turn: see bounds/fair-share.ts. */
  stretch = packetsAtAStretch;
  readonly reader: FrameReader;
  #pauses = 0;
  /** The record that has to be durable before an unruly publisher is read from again. */
  #journalMark = 0;
  /** Answers to what the client published: wait for the journal and for back-pressure. */
  #answers: Deferred | null = null;
  /** What goes to the client as a subscriber: waits for the journal alone. */
  #sends: Deferred | null = null;
  readonly #frames = new WaitingFrames();

  constructor(core: BrokerCore, transport: Transport, profile: ListenerProfile) {
    this.core = core;
    this.transport = transport;
    this.profile = profile;
    this.limits = profile.limits ?? core.limits;
    this.mountPoint = profile.mountPoint ?? '';
    this.outbox = new Outbox(core, transport, this, this.limits.maximumPendingBytes);
    this.reader = new FrameReader(this, this.limits.maximumPacketSizeBeforeConnect, core.frames);
    transport.gatherUpTo?.(this.limits.maximumPacketSizeBeforeConnect);
    this.acceptedAt = core.clock.monotonic();
    this.lastSeen = this.acceptedAt;
    const isLocal = transport.peer.address === localAddress;
    this.throttle = isLocal ? null : createThrottle(this.limits, this.acceptedAt);
  }

  /** For logs and counters; before it has signed in what it claims, and before CONNECT its address. */
  get clientId(): string {
    return this.identity?.clientId ?? this.claimedId ?? this.transport.peer.address;
  }

  get isEnding(): boolean {
    return this.phase === Phase.Ending;
  }

  /** Its acknowledgements wait for somebody's queue. */
  get isHeld(): boolean {
    return this.heldBy !== null && this.heldBy.size > 0;
  }

  /** Held by back-pressure and not read from. */
  get isHeldStill(): boolean {
    return (this.#pauses & PauseReason.Held) !== 0;
  }

  /** What the client sends is read; while it is not, its silence is our doing. */
  get isRead(): boolean {
    return this.#pauses === 0;
  }

  /** The bytes of the packet that is handled now are nobody else's: a view of them may be kept. */
  get ownsFrame(): boolean {
    return this.reader.handsOver;
  }

  onBytes(chunk: Buffer): void {
    if (this.isEnding) return;
    this.core.statistics.bytesReceived += chunk.length;
    this.lastSeen = this.core.tick();
    this.throttle?.refill(this.lastSeen);
    this.stretch = packetsAtAStretch;
    try {
      this.#judge(this.reader.push(chunk));
    } catch (error) {
      this.#onBug(error);
    }
    this.core.afterChunk(this);
  }

  onGathering(bytes: number): void {
    this.core.memory.onGathering(bytes);
  }

  onFrame(bytes: Buffer, start: number, bodyStart: number, end: number): ReasonCode {
    this.core.statistics.packetsReceived++;
    // The packet itself is handled; the reader stops behind it.
    if (this.throttle !== null && !this.throttle.spend(bytes[start]!, end - start))
      this.core.throttles.slow(this);
    if (--this.stretch <= 0) this.core.fairShare.wait(this);
    if (this.phase === Phase.Connected) return onFrame(this, bytes, start, bodyStart, end);
    return onEarlyFrame(this, bytes, start, bodyStart, end);
  }

  onDrain(): void {
    this.outbox.onDrain();
  }

  /** The client keeps up again. */
  onRelief(): void {
    if (this.session !== null && this.phase === Phase.Connected) this.core.deliverer.pump(this.session);
  }

  onClose(error: Error | undefined): void {
    if (!this.isEnding) this.#leave('publish will', { kind: 'lost', error: error ?? null });
    this.outbox.release();
    this.core.onConnectionGone(this);
  }

  /** From now on packets of this size are read. */
  readPacketsUpTo(maximumPacketSize: number): void {
    this.reader.maximumPacketSize = maximumPacketSize;
    this.transport.gatherUpTo?.(maximumPacketSize * packetsPerMessage);
  }

  /** Stops reading for a reason; what has arrived is held. */
  pause(reason: PauseReason): void {
    if (this.#pauses === 0) {
      this.reader.suspend();
      this.transport.pause();
    }
    this.#pauses |= reason;
  }

  /** Takes one reason away; reading goes on in the next turn when it was the last. */
  unpause(reason: PauseReason): void {
    if ((this.#pauses & reason) === 0) return;
    this.#pauses &= ~reason;
    if (this.#pauses === 0) this.core.turn.addReader(this);
  }

  /** Called by the turn. */
  goOnReading(): void {
    if (this.#pauses !== 0 || this.isEnding) return;
    this.transport.resume();
    this.lastSeen = this.core.clock.monotonic();
    this.stretch = packetsAtAStretch;
    this.run(() => this.reader.resume());
    this.core.afterChunk(this);
  }

  /** Does what came to an end outside of `onBytes`, judged and guarded as if it were a packet. */
  run(action: () => ReasonCode): void {
    this.core.tick();
    try {
      this.#judge(action());
    } catch (error) {
      this.#onBug(error);
    }
  }

  /** At most so many user properties in one packet; counted where there are more. */
  mayHaveUserProperties(properties: readonly UserProperty[] | undefined): boolean {
    if (properties === undefined || properties.length <= this.limits.maximumUserProperties) return true;
    this.core.statistics.reached['user-properties']++;
    return false;
  }

  /** Sends a packet other than PUBLISH and its acknowledgements. One that the client cannot take ends the connection. */
  send(packet: Packet): void {
    const frame = encodeFitting(packet, this);
    if (frame !== null) {
      this.core.trace?.sent(this.clientId, packet);
      this.#write(frame);
    } else if (packet.type !== PacketType.Disconnect) this.#onTooLarge();
  }

  /** Sends a packet when what has been recorded so far is durable. */
  sendDurably(packet: Packet): void {
    const frame = encodeFitting(packet, this);
    if (frame === null) {
      this.#onTooLarge();
      return;
    }
    this.core.trace?.sent(this.clientId, packet);
    if (this.core.isDurable && this.#frames.length === 0) {
      this.#write(frame);
      return;
    }
    this.#frames.push(this.core.journal.sequence, frame);
    this.core.deferring.add(this);
    if (this.#frames.isFull) this.#pauseForJournal();
  }

  /** Answers a PUBLISH or PUBREL of the client: when it is durable, and nobody has to be waited for. */
  answer(type: AckPacket['type'], packetId: number, reasonCode: ReasonCode): void {
    if (this.core.isDurable && !this.isHeld && (this.#answers === null || this.#answers.length === 0)) {
      this.writeAckNow(type, packetId, reasonCode);
      return;
    }
    this.#answers ??= new Deferred();
    this.#answers.push(this.core.journal.sequence, type, reasonCode, packetId);
    this.core.deferring.add(this);
    if (this.#answers.length > maximumWaitingAnswers)
      this.disconnect(ReasonCode.ReceiveMaximumExceeded, 'more answers wait than there are packet ids');
    // Who keeps to no window is slowed to what the disk takes; that depends on no other client, so it cannot stop.
    const { receiveMaximum } = this.limits;
    const isUnruly = this.openInbound > receiveMaximum || this.#answers.length > 2 * receiveMaximum;
    if (isUnruly && !this.core.isDurable) this.#pauseForJournal();
  }

  /** Sends PUBREL, or the PUBLISH that stands in flight under this id, as soon as what was recorded is durable. */
  deferSend(type: typeof PacketType.Pubrel | typeof PacketType.Publish, packetId: number): void {
    if (this.core.isDurable && (this.#sends === null || this.#sends.length === 0)) {
      this.sendDeferred(type, 0, packetId);
      return;
    }
    this.#sends ??= new Deferred();
    this.#sends.push(this.core.journal.sequence, type, 0, packetId);
    this.core.deferring.add(this);
  }

  sendDeferred(type: number, reasonCode: number, packetId: number): void {
    if (type === PacketType.Publish) this.core.deliverer.writeInflight(this, packetId);
    else this.writeAckNow(type as AckPacket['type'], packetId, reasonCode);
  }

  /** Sends what waited and may go now. */
  releaseDeferred(): void {
    if (this.isEnding) {
      this.core.deferring.delete(this);
      return;
    }
    const durable = this.core.journal.durableSequence;
    if (this.#frames.length > 0) this.#frames.release(durable, (frame) => this.#write(frame));
    this.#sends?.release(durable, this);
    if (!this.isHeld) this.#answers?.release(durable, this);
    if (this.#journalMark <= durable) this.unpause(PauseReason.Journal);
    const left = this.#frames.length + (this.#sends?.length ?? 0) + (this.#answers?.length ?? 0);
    if (left === 0) this.core.deferring.delete(this);
  }

  writeAckNow(type: AckPacket['type'], packetId: number, reasonCode: number): void {
    if (this.openInbound > 0 && isFinalAnswer(type, reasonCode)) this.openInbound--;
    if (reasonCode >= 0x80 && this.version === ProtocolVersion.V5) {
      this.send({ type, packetId, reasonCode, properties: { reasonString: reasonName(reasonCode) } });
      return;
    }
    this.core.trace?.sent(this.clientId, { type, packetId, reasonCode, properties: {} });
    const length = reasonCode === 0 || this.version !== ProtocolVersion.V5 ? 4 : 5;
    const offset = this.outbox.room(length);
    writeAck(this.outbox.slab, offset, type, packetId, reasonCode, this.version);
  }

  /** Ends the connection because of what the client did or we decided; MQTT 5 clients are told [MQTT-4.13.1-1]. */
  disconnect(reasonCode: ReasonCode, detail: string, serverReference?: string): void {
    if (this.isEnding) return;
    // Not before CONNACK [MQTT-3.14.0-1].
    if (this.phase === Phase.Connected && this.version === ProtocolVersion.V5) {
      const properties = {
        reasonString: detail,
        ...(serverReference === undefined ? {} : { serverReference }),
      };
      this.send({ type: PacketType.Disconnect, reasonCode, properties });
    }
    this.#leave('publish will', { kind: 'broker', reasonCode, detail });
  }

  /** The client said DISCONNECT, or its CONNECT was refused. */
  close(fate: Fate, end: ConnectionEnd): void {
    if (!this.isEnding) this.#leave(fate, end);
  }

  #pauseForJournal(): void {
    this.#journalMark = this.core.journal.sequence;
    this.pause(PauseReason.Journal);
  }

  #write(frame: Buffer): void {
    const offset = this.outbox.room(frame.length);
    this.outbox.slab.set(frame, offset);
  }

  /** What it waits for it can never get. */
  #onTooLarge(): void {
    const text = `client ${this.clientId} takes no packet as large as its answer; it is disconnected`;
    this.core.sparing.notice(text, this.#logFields(), 'a client takes no packet as large as its answer');
    this.disconnect(ReasonCode.PacketTooLarge, 'the maximum packet size of the client is too small');
  }

  #judge(code: ReasonCode): void {
    if (code === ReasonCode.Success || this.isEnding) return;
    const { statistics } = this.core;
    statistics.protocolErrors++;
    if (code === ReasonCode.PacketTooLarge) statistics.reached['packet-size']++;
    const why = `is disconnected: ${reasonName(code)}`;
    this.core.sparing.notice(`client ${this.clientId} ${why}`, this.#logFields(), `a client ${why}`);
    this.disconnect(code, reasonName(code));
  }

  /** A fault of ours on this client's packet costs this client its connection, nobody else anything. */
  #onBug(error: unknown): void {
    this.core.statistics.bugs++;
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const text = `BUG in handling client ${this.clientId}; please report it: ${stack}`;
    this.core.sparing.error(text, this.#logFields(), 'BUG in handling a client');
    this.disconnect(ReasonCode.ImplementationSpecificError, 'internal error');
  }

  #leave(fate: Fate, end: ConnectionEnd): void {
    const wasConnected = this.phase === Phase.Connected;
    this.phase = Phase.Ending;
    this.outbox.finish();
    if (end.kind === 'client') this.transport.hangUp?.();
    this.transport.end();
    this.core.deferring.delete(this);
    this.core.pressure.forget(this);
    const { peer } = this.transport;
    this.core.tell({ kind: 'connection-ended', clientId: this.clientId, peer, end }, this.profile);
    if (wasConnected) this.core.lifecycle.detach(this, fate, end);
  }

  #logFields(): { listener: string; address: string } {
    return { listener: this.profile.name, address: this.transport.peer.address };
  }
}

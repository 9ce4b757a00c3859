import { DavylampError, messageOf, type Timer, type Transport } from '#base';
import {
  decodeAck,
  decodePacket,
  decodePublish,
  encodePacket,
  FrameReader,
  PacketType,
  PublishRecord,
  ReasonCode,
  reasonName,
  type AckRecord,
  type AuthPacket,
  type ConnectPacket,
  type DisconnectPacket,
  type PublishPacket,
} from '#mqtt';
import { connackFault, refusalOf } from './connack.ts';
import { KeepAlive, type KeepAliveLink } from './keep-alive.ts';
import type { BrokerLinkOptions, LinkOwner } from './link-options.ts';
import { LinkAuthentication } from './link-authentication.ts';
import { PacketOutbox } from './packet-outbox.ts';

const dialTimeoutMs = 15_000;
const connackTimeoutMs = 10_000;
/** MQTT's own bound: four length bytes of seven bits, and the fixed header (2.1.4). */
const largestPacket = 268_435_455 + 5;

type Phase = 'new' | 'dialing' | 'connecting' | 'up' | 'ending' | 'ended';

/**
 * One connection to a broker: dials, signs in, takes packets apart, keeps alive, and ends once. A broker that breaks the
 * protocol ends the link and nothing else.
 */
export class BrokerLink {
  readonly outbox: PacketOutbox;
  readonly #options: BrokerLinkOptions;
  readonly #owner: LinkOwner;
  readonly #version: ConnectPacket['version'];
  readonly #reader: FrameReader;
  readonly #publish = new PublishRecord();
  readonly #ack: AckRecord = { type: 0, packetId: 0, reasonCode: 0, properties: null };
  readonly #abort = new AbortController();
  readonly #authentication: LinkAuthentication | null;
  /** As it is sent: with the method's data. */
  #connect: ConnectPacket;
  #phase: Phase = 'new';
  #transport: Transport | null = null;
  #deadline: Timer | null = null;
  #keepAlive: KeepAlive | null = null;
  #chunks = 0;
  #isPaused = false;
  #isSuspended = false;
  #peerMaximumPacketSize = largestPacket;

  constructor(options: BrokerLinkOptions) {
    this.#options = options;
    this.#owner = options.owner;
    this.#version = options.connect.version;
    this.#connect = options.connect;
    const { authentication = null } = options;
    this.#authentication =
      authentication === null
        ? null
        : new LinkAuthentication(authentication, {
            send: (packet) => this.outbox.packet(packet),
            fail: (detail) => this.#fail(ReasonCode.UnspecifiedError, detail),
          });
    this.outbox = new PacketOutbox(options.connect.version, options.scheduler);
    this.#reader = new FrameReader(
      { onFrame: (bytes, start, bodyStart, end) => this.#onFrame(bytes, start, bodyStart, end) },
      options.maximumPacketSize,
    );
  }

  get isUp(): boolean {
    return this.#phase === 'up';
  }

  /** Largest packet that the broker takes, in bytes. */
  get peerMaximumPacketSize(): number {
    return this.#peerMaximumPacketSize;
  }

  /** Dials and signs in. The owner hears of the outcome. */
  start(): void {
    this.#phase = 'dialing';
    this.#armDeadline(dialTimeoutMs, 'no connection');
    const handler = {
      onBytes: (chunk: Buffer): void => this.#onBytes(chunk),
      onDrain: (): void => this.#onDrain(),
      onClose: (error: Error | undefined): void => this.#onClose(error),
    };
    this.#options.dialer.dial(handler, this.#abort.signal).then(
      (transport) => this.#onDialed(transport),
      (error: unknown) => this.#end(asLinkError(error, this.#options.dialer.target)),
    );
  }

  /** Signs in again, with the method that CONNECT named. Rejects with `USAGE` where there is none. */
  reauthenticate(): Promise<void> {
    if (this.#authentication === null || this.#phase !== 'up')
      return Promise.reject(new DavylampError('USAGE', 'only a connection by a method can sign in again'));
    return this.#authentication.reauthenticate();
  }

  /** Stops reading: for when what comes in cannot be passed on fast enough. Frames of the current chunk still come. */
  pause(): void {
    this.#isPaused = true;
    this.#transport?.pause();
  }

  resume(): void {
    this.#isPaused = false;
    if (!this.#isSuspended) this.#transport?.resume();
  }

  /** Stops at once: not even a further frame of the current chunk comes. */
  suspend(): void {
    this.#isSuspended = true;
    this.#reader.suspend();
    this.#transport?.pause();
  }

  /** Goes on after `suspend()`, with the frames that were held. */
  unsuspend(): void {
    if (!this.#isSuspended) return;
    this.#isSuspended = false;
    this.#take(() => this.#reader.resume());
    if (!this.#isPaused && !this.#isSuspended) this.#transport?.resume();
  }

  /** Says DISCONNECT, sends what is gathered, and closes. [MQTT-3.14.4-1] */
  end(reasonCode: number = ReasonCode.Success, properties: DisconnectPacket['properties'] = {}): void {
    if (this.#phase === 'ending') return;
    if (this.#phase === 'up' && this.#transport !== null) {
      // Before MQTT 5, DISCONNECT means: no will. Whoever wants the will leaves without it.
      if (this.#version === 5 || reasonCode === ReasonCode.Success)
        this.outbox.packet(disconnect(reasonCode, properties));
      this.outbox.flush();
      this.#phase = 'ending';
      this.#transport.end();
    } else {
      this.#end(undefined);
    }
  }

  /** Closes at once: the broker sees a connection that broke, and sends the will. */
  destroy(): void {
    this.#end(undefined);
  }

  #onDialed(transport: Transport): void {
    if (this.#phase !== 'dialing') {
      transport.destroy();
      return;
    }
    this.#phase = 'connecting';
    this.#transport = transport;
    this.#armDeadline(connackTimeoutMs, 'no answer to CONNECT');
    try {
      if (this.#authentication !== null) this.#connect = this.#authentication.begin(this.#connect);
    } catch (error) {
      this.#end(
        new DavylampError('BUG', `${this.#options.dialer.target}: ${messageOf(error)}`, { cause: error }),
      );
      return;
    }
    transport.write(encodePacket(this.#connect, this.#version));
    this.#owner.onOpened?.(this.#connect);
    this.outbox.attach(transport);
  }

  #armDeadline(delayMs: number, what: string): void {
    this.#deadline?.cancel();
    const { clock, dialer } = this.#options;
    this.#deadline = clock.after(delayMs, () => {
      this.#end(new DavylampError('CONNECT_FAILED', `${dialer.target}: ${what} within ${delayMs / 1000} s`));
    });
  }

  #onBytes(chunk: Buffer): void {
    this.#chunks += 1;
    if (this.#phase === 'dialing') this.#fail(ReasonCode.ProtocolError, 'it spoke before CONNECT');
    this.#take(() => this.#reader.push(chunk));
  }

  #take(read: () => ReasonCode): void {
    if (this.#phase !== 'up' && this.#phase !== 'connecting') return;
    try {
      const reason = read();
      if (reason !== ReasonCode.Success) this.#fail(reason, reasonName(reason));
    } catch (error) {
      const stack = error instanceof Error ? error.stack : undefined;
      this.#options.log.error(`BUG: a message of ${this.#options.dialer.target} could not be handled`, {
        error: messageOf(error),
        stack,
      });
      this.#end(
        new DavylampError('BUG', `${this.#options.dialer.target}: ${messageOf(error)}`, { cause: error }),
      );
    }
  }

  #onFrame(bytes: Buffer, start: number, bodyStart: number, end: number): ReasonCode {
    if (this.#phase !== 'up') {
      return this.#phase === 'connecting'
        ? this.#onFirstFrame(bytes, start, bodyStart, end)
        : ReasonCode.Success;
    }
    switch (bytes[start]! >> 4) {
      case PacketType.Publish: {
        const packet = this.#publish;
        const reason = decodePublish(bytes, start, bodyStart, end, this.#version, packet);
        if (reason !== ReasonCode.Success) return reason;
        const fault = this.#topicFault(packet);
        return fault === ReasonCode.Success ? this.#owner.onPublish(packet) : fault;
      }
      case PacketType.Puback:
      case PacketType.Pubrec:
      case PacketType.Pubrel:
      case PacketType.Pubcomp: {
        const reason = decodeAck(bytes, start, bodyStart, end, this.#version, this.#ack);
        return reason === ReasonCode.Success ? this.#owner.onAck(this.#ack) : reason;
      }
      case PacketType.Connect:
      case PacketType.Connack:
        return ReasonCode.ProtocolError; // unread: DISCONNECT cannot name the faults that they may have inside
      default:
        return this.#onOtherFrame(bytes, start, bodyStart, end);
    }
  }

  /** An alias must be one that CONNECT allows; the owner resolves it, and an empty topic stands for it. [MQTT-3.1.2-27] */
  #topicFault({ topic, properties }: PublishPacket): ReasonCode {
    const alias = properties?.topicAlias;
    if (alias !== undefined && alias > (this.#connect.properties.topicAliasMaximum ?? 0))
      return ReasonCode.TopicAliasInvalid;
    return isTopicName(topic) || (topic === '' && alias !== undefined)
      ? ReasonCode.Success
      : ReasonCode.TopicNameInvalid;
  }

  /** Anything but CONNACK is out of place here [MQTT-3.2.0-1], and AUTH where we named a method. */
  #onFirstFrame(bytes: Buffer, start: number, bodyStart: number, end: number): ReasonCode {
    const packet = decodePacket(bytes, start, bodyStart, end, this.#version);
    if (packet.type === 0) return packet.reasonCode;
    if (packet.type === PacketType.Auth) {
      return packet.reasonCode === ReasonCode.ContinueAuthentication
        ? this.#onAuth(packet)
        : ReasonCode.ProtocolError;
    }
    if (packet.type !== PacketType.Connack) return ReasonCode.ProtocolError;
    const { dialer, clock } = this.#options;
    const connect = this.#connect;
    if (packet.reasonCode !== 0) {
      const reason = refusalOf(packet, this.#version);
      this.#owner.onRefused?.(packet);
      this.#end(
        new DavylampError('CONNECTION_REFUSED', `${dialer.target} refused the connection: ${reason}`),
      );
      return ReasonCode.Success;
    }
    const fault = connackFault(packet, connect);
    if (fault !== ReasonCode.Success) return fault;
    if (this.#authentication?.accepts(packet) === false) {
      this.#fail(ReasonCode.UnspecifiedError, 'it has not proven itself');
      return ReasonCode.Success;
    }
    this.#phase = 'up';
    this.#deadline?.cancel();
    this.#peerMaximumPacketSize = packet.properties.maximumPacketSize ?? largestPacket;
    this.#keepAlive = new KeepAlive(
      clock,
      packet.properties.serverKeepAlive ?? connect.keepAlive,
      this.#watch(),
    );
    return this.#owner.onConnected(packet);
  }

  #onOtherFrame(bytes: Buffer, start: number, bodyStart: number, end: number): ReasonCode {
    const packet = decodePacket(bytes, start, bodyStart, end, this.#version);
    switch (packet.type) {
      case 0:
        return packet.reasonCode;
      case PacketType.Suback:
      case PacketType.Unsuback:
        return this.#owner.onSuback(packet);
      case PacketType.Pingresp:
        this.#owner.onPing?.('response');
        return ReasonCode.Success;
      case PacketType.Disconnect:
        if (this.#version !== 5) return ReasonCode.ProtocolError;
        this.#onDisconnect(packet);
        return ReasonCode.Success;
      case PacketType.Auth:
        return this.#onAuth(packet);
      default:
        return ReasonCode.ProtocolError;
    }
  }

  /** Without a method of ours, AUTH breaks the protocol [MQTT-4.12.0-6]. */
  #onAuth(packet: AuthPacket): ReasonCode {
    return this.#authentication?.onAuth(packet) ?? ReasonCode.ProtocolError;
  }

  #onDisconnect(packet: DisconnectPacket): void {
    this.#owner.onDisconnect?.(packet);
    const words = packet.properties.reasonString;
    const reason = reasonName(packet.reasonCode) + (words === undefined ? '' : ` (${words})`);
    this.#end(
      new DavylampError('CONNECTION_LOST', `${this.#options.dialer.target} closed the connection: ${reason}`),
    );
  }

  #watch(): KeepAliveLink {
    return {
      writes: () => this.outbox.writes,
      chunks: () => this.#chunks,
      isReading: () => !this.#isPaused && !this.#isSuspended,
      ping: () => {
        this.#owner.onPing?.('request');
        this.outbox.packet({ type: PacketType.Pingreq });
      },
      onSilence: () => {
        this.#end(
          new DavylampError('CONNECTION_LOST', `${this.#options.dialer.target} does not answer any more`),
        );
      },
    };
  }

  #onDrain(): void {
    this.outbox.onDrain();
    if (this.#phase === 'up') this.#owner.onDrain();
  }

  #onClose(error: Error | undefined): void {
    if (this.#phase === 'ending') {
      this.#end(undefined);
      return;
    }
    const silent =
      this.#phase === 'connecting'
        ? 'it closed the connection without an answer; does it trust our certificate, and know us?'
        : 'it closed the connection';
    const why = error === undefined ? silent : messageOf(error);
    this.#end(
      new DavylampError('CONNECTION_LOST', `${this.#options.dialer.target}: ${why}`, { cause: error }),
    );
  }

  /** The broker broke the protocol: MQTT 5 tells it why. [MQTT-4.13.1-1] */
  #fail(reasonCode: ReasonCode, detail: string): void {
    if (this.#phase === 'ended') return;
    if (this.#phase === 'up' && this.#version === 5) {
      this.outbox.packet(disconnect(reasonCode));
      this.outbox.flush();
    }
    this.#end(new DavylampError('PROTOCOL', `${this.#options.dialer.target} broke the protocol: ${detail}`));
  }

  #end(error: DavylampError | undefined): void {
    if (this.#phase === 'ended') return;
    this.#phase = 'ended';
    this.#abort.abort();
    this.#deadline?.cancel();
    this.#keepAlive?.stop();
    this.outbox.detach();
    // After the last words have had their chance: what is pending goes out, at most for the transport's own short limit.
    if (error === undefined) this.#transport?.destroy();
    else this.#transport?.end();
    this.#transport = null;
    this.#authentication?.onEnd(
      error ??
        new DavylampError('CONNECTION_LOST', `${this.#options.dialer.target}: the connection was closed`),
    );
    this.#owner.onEnd(error);
  }
}

function disconnect(reasonCode: number, properties: DisconnectPacket['properties'] = {}): DisconnectPacket {
  return { type: PacketType.Disconnect, reasonCode, properties };
}

/** A topic name without wildcards; the rest of its grammar is checked by the codec. [MQTT-3.3.2-2] */
function isTopicName(topic: string): boolean {
  return topic.length > 0 && !topic.includes('#') && !topic.includes('+');
}

function asLinkError(error: unknown, target: string): DavylampError {
  if (error instanceof DavylampError) return error;
  return new DavylampError('CONNECT_FAILED', `${target}: ${messageOf(error)}`, { cause: error });
}

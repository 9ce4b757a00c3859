import { DavylampError, type Dialer, type Transport, type TransportHandler } from '#base';
import {
  decodePacket,
  encodePacket,
  FrameReader,
  PacketType,
  ReasonCode,
  type ConnectPacket,
  type Packet,
  type PublishPacket,
  type Qos,
} from '#mqtt';

/** What the broker of a script does with those who come. All of it may be changed while it runs. */
export interface BrokerScript {
  /** CONNACK's code; `unreachable` refuses the connection itself, `silent` answers nothing. */
  connect: number | 'unreachable' | 'silent';
  /** Answer PUBLISH at QoS 1 with PUBACK of this code; `false` = not at all. */
  acknowledge: number | false;
}

/** One connection as the broker sees it. Packets are kept in the order in which they came. */
export class ScriptedConnection {
  readonly packets: Packet[] = [];
  readonly #reader: FrameReader;
  readonly #script: BrokerScript;
  readonly #peer: TransportHandler;
  #version: 3 | 4 | 5 = 4;
  #open = true;

  constructor(script: BrokerScript, peer: TransportHandler) {
    this.#script = script;
    this.#peer = peer;
    this.#reader = new FrameReader(
      {
        onFrame: (bytes, start, body, end) =>
          this.#onFrame(Buffer.from(bytes.subarray(start, end)), body - start),
      },
      1 << 20,
    );
  }

  get open(): boolean {
    return this.#open;
  }

  get connect(): ConnectPacket {
    const first = this.packets[0];
    if (first?.type !== PacketType.Connect) throw new Error('the first packet is no CONNECT');
    return first;
  }

  /** What was published on this connection: `topic payload`, in order. */
  get published(): readonly string[] {
    return this.publishes.map((packet) => `${packet.topic} ${packet.payload.toString()}`);
  }

  get publishes(): readonly PublishPacket[] {
    return this.packets.filter((packet): packet is PublishPacket => packet.type === PacketType.Publish);
  }

  /** Takes bytes of the peer; called by the transport, a turn after they were written. */
  take(bytes: Buffer): void {
    if (!this.#open) return;
    if (this.#reader.push(bytes) !== ReasonCode.Success) throw new Error('the peer sent what is no MQTT');
  }

  /** Sends a packet to the peer. */
  send(packet: Packet): void {
    const bytes = encodePacket(packet, this.#version);
    setImmediate(() => {
      if (this.#open) this.#peer.onBytes(bytes);
    });
  }

  /** Sends a message at QoS 0. */
  publish(topic: string, payload: string, qos: Qos = 0): void {
    const packetId = qos === 0 ? 0 : 1;
    this.send({
      type: PacketType.Publish,
      topic,
      payload: Buffer.from(payload),
      qos,
      retain: false,
      dup: false,
      packetId,
      properties: null,
    });
  }

  /** Ends the connection from the broker's side. */
  cut(): void {
    this.end(new Error('cut by the script'));
  }

  end(error: Error | undefined): void {
    if (!this.#open) return;
    this.#open = false;
    setImmediate(() => this.#peer.onClose(error));
  }

  #onFrame(frame: Buffer, body: number): ReasonCode {
    const packet = decodePacket(frame, 0, body, frame.length, this.#version);
    if (packet.type === 0) throw new Error(`the peer sent a malformed packet: ${packet.detail}`);
    this.packets.push(packet);
    this.#answer(packet);
    return ReasonCode.Success;
  }

  #answer(packet: Packet): void {
    switch (packet.type) {
      case PacketType.Connect: {
        this.#version = packet.version;
        const { connect } = this.#script;
        if (connect === 'unreachable' || connect === 'silent') return;
        this.send({ type: PacketType.Connack, sessionPresent: false, reasonCode: connect, properties: {} });
        if (connect !== 0) this.cut();
        return;
      }
      case PacketType.Subscribe: {
        const reasonCodes = packet.subscriptions.map(({ qos }) => qos);
        this.send({ type: PacketType.Suback, packetId: packet.packetId, reasonCodes, properties: {} });
        return;
      }
      case PacketType.Publish:
        if (packet.qos === 1 && this.#script.acknowledge !== false) {
          this.send({
            type: PacketType.Puback,
            packetId: packet.packetId,
            reasonCode: this.#script.acknowledge,
            properties: {},
          });
        }
        return;
      case PacketType.Pingreq:
        this.send({ type: PacketType.Pingresp });
        return;
      case PacketType.Disconnect:
        this.end(undefined);
        return;
      default:
    }
  }
}

/** A broker that says what it is told and keeps what it hears, over memory: no sockets, no time. */
export class ScriptedBroker {
  readonly script: BrokerScript = { connect: 0, acknowledge: 0 };
  readonly connections: ScriptedConnection[] = [];
  /** How often somebody tried to reach it. */
  dials = 0;

  readonly dialer: Dialer = {
    target: 'mqtt://scripted',
    dial: (handler) => this.#dial(handler),
  };

  get last(): ScriptedConnection {
    const connection = this.connections.at(-1);
    if (connection === undefined) throw new Error('nobody has connected yet');
    return connection;
  }

  async #dial(handler: TransportHandler): Promise<Transport> {
    this.dials++;
    if (this.script.connect === 'unreachable')
      throw new DavylampError('CONNECT_FAILED', 'mqtt://scripted cannot be reached');
    const transport: Transport = {
      peer: { address: 'local', port: 0, certificate: null },
      handler,
      pendingBytes: 0,
      write: (bytes) => {
        // Copied: the writer may use its buffer again once the bytes are taken.
        const copy = Buffer.from(bytes);
        setImmediate(() => connection.take(copy));
      },
      pause: () => {},
      resume: () => {},
      end: () => setImmediate(() => connection.end(undefined)),
      destroy: () => connection.end(undefined),
    };
    const connection = new ScriptedConnection(this.script, {
      onBytes: (chunk) => transport.handler.onBytes(chunk),
      onDrain: () => transport.handler.onDrain(),
      onClose: (error) => transport.handler.onClose(error),
    });
    this.connections.push(connection);
    return transport;
  }
}

/** Lets the event loop turn until `condition` holds; fails, naming `what`, when it never does. */
export async function until(what: string, condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 10_000; turn++) {
    if (condition()) return;
    await turns(1);
  }
  throw new Error(`this never came: ${what}`);
}

/** Lets the event loop turn so often: what is under way between two ends in memory has then arrived. */
export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

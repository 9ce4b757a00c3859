import type { Clock, DavylampError, Dialer, Logger } from '#base';
import type {
  AckRecord,
  ConnackPacket,
  ConnectPacket,
  DisconnectPacket,
  PublishPacket,
  ReasonCode,
  SubackPacket,
  UnsubackPacket,
} from '#mqtt';
import type { ClientAuthentication } from './authentication.ts';
import type { Scheduler } from './client-options.ts';

/** Who uses a link. What returns a reason code ends the link with it when it is not 0. */
export interface LinkOwner {
  /** The broker said yes. What it sends comes right after. */
  onConnected(connack: ConnackPacket): ReasonCode;
  /** A record that is used again, with a view of the chunk as payload: valid during the call. */
  onPublish(packet: PublishPacket): ReasonCode;
  /** A record that is used again. */
  onAck(ack: AckRecord): ReasonCode;
  onSuback(packet: SubackPacket | UnsubackPacket): ReasonCode;
  /** All that was written has been taken by the system. */
  onDrain(): void;
  /** The transport is open and CONNECT leaves now, as it stands here. */
  onOpened?(connect: ConnectPacket): void;
  /** The broker refused the connection with this CONNACK; `onEnd` follows. */
  onRefused?(connack: ConnackPacket): void;
  /** MQTT 5: the broker said why it closes; `onEnd` follows. */
  onDisconnect?(packet: DisconnectPacket): void;
  /** A PINGREQ leaves, or a PINGRESP has come. */
  onPing?(kind: 'request' | 'response'): void;
  /** The link is over. Once; nothing follows. `undefined`: it was ended on this side. */
  onEnd(error: DavylampError | undefined): void;
}

export interface BrokerLinkOptions {
  readonly dialer: Dialer;
  readonly clock: Clock;
  readonly log: Logger;
  readonly scheduler: Scheduler;
  readonly owner: LinkOwner;
  readonly connect: ConnectPacket;
  /** MQTT 5: sign in by this method. */
  readonly authentication?: ClientAuthentication | null;
  /** Largest packet taken from the broker, in bytes. */
  readonly maximumPacketSize: number;
}

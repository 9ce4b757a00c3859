import type { PeerInfo } from '#base';
import type { Packet, PublishPacket, Qos, ReasonCode } from '#mqtt';
import type { ClientInfo } from './hooks.ts';

/** How a connection came to its end. */
export type ConnectionEnd =
  /** It said DISCONNECT. */
  | { readonly kind: 'client' }
  /** The other side just closed, or the network failed (`error`). */
  | { readonly kind: 'lost'; readonly error: Error | null }
  /** We ended it; `detail` says why in words. */
  | { readonly kind: 'broker'; readonly reasonCode: ReasonCode; readonly detail: string };

/** What happens to clients, for logs. `port`: of the listener, as its profile names it. */
export type BrokerEvent =
  | { readonly kind: 'connection'; readonly peer: PeerInfo; readonly port: number | string }
  /** Told as sparingly as it is logged. */
  | { readonly kind: 'connection-refused'; readonly address: string; readonly bound: string }
  | {
      readonly kind: 'client-connected';
      readonly client: ClientInfo;
      readonly isBridge: boolean;
      readonly cleanStart: boolean;
      readonly keepAliveSeconds: number;
      readonly will: {
        readonly topic: string;
        readonly bytes: number;
        readonly qos: Qos;
        readonly retain: boolean;
      } | null;
    }
  /** The former connection of this client makes way for another. */
  | { readonly kind: 'taken-over'; readonly clientId: string }
  | { readonly kind: 'subscribed'; readonly clientId: string; readonly filter: string; readonly qos: Qos }
  | { readonly kind: 'unsubscribed'; readonly clientId: string; readonly filter: string }
  /** `clientId`: the address of one that never said CONNECT. */
  | {
      readonly kind: 'connection-ended';
      readonly clientId: string;
      readonly peer: PeerInfo;
      readonly end: ConnectionEnd;
    }
  /** The first packet was something else than CONNECT; its first byte. */
  | { readonly kind: 'not-connect'; readonly peer: PeerInfo; readonly firstByte: number }
  /** A queue is full: from now on messages for this client are dropped. Told once in a while. */
  | { readonly kind: 'dropping'; readonly clientId: string }
  | { readonly kind: 'session-expired'; readonly clientId: string };

/** Where the broker tells what happens to its clients. Called on its thread; must be quick. */
export interface BrokerEvents {
  onEvent(event: BrokerEvent): void;
  /**
   * Every packet, for a debug log; must not throw. `null` costs a comparison. Topics are in the inside form (with the mount point).
   */
  readonly packets: PacketTrace | null;
}

/** `who`: the client id, or the address before there is one. A packet is valid during the call. */
export interface PacketTrace {
  received(who: string, packet: Packet): void;
  /** A PUBLISH that its sender may not publish. */
  denied(who: string, packet: PublishPacket): void;
  sent(who: string, packet: Packet): void;
}

/** Says nothing. */
export const noEvents: BrokerEvents = { onEvent: () => {}, packets: null };

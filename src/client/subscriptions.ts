import { DavylampError, type Logger } from '#base';
import {
  PacketType,
  ReasonCode,
  reasonName,
  type SubackPacket,
  type SubscribePacket,
  type SubscriptionRequest,
  type UnsubackPacket,
  type UnsubscribePacket,
} from '#mqtt';
import type { BrokerLink } from './broker-link.ts';
import type { SubscribeProperties, SubscribeRequest } from './client-options.ts';

/** Requests without an answer; more is a fault of the caller. */
const maximumPending = 1000;
/** Filters in one SUBSCRIBE when subscriptions are made again: a packet of a size that every broker takes. */
const filtersPerPacket = 50;

interface Pending {
  readonly packet: SubscribePacket | UnsubscribePacket;
  /** Made by us for a new session: ends with the connection, for the next one makes its own. */
  readonly isAgain: boolean;
  readonly resolve: (codes: readonly number[]) => void;
  readonly reject: (error: DavylampError) => void;
}

interface Kept {
  readonly request: SubscriptionRequest;
  readonly properties: SubscribeProperties;
}

export interface SubscriptionsOptions {
  readonly log: Logger;
  readonly nextPacketId: () => number;
}

/** SUBSCRIBE and UNSUBSCRIBE of a client, and what it has subscribed to, so that a new session gets it again. */
export class Subscriptions {
  readonly #options: SubscriptionsOptions;
  readonly #pending = new Map<number, Pending>();
  readonly #kept = new Map<string, Kept>();
  #link: BrokerLink | null = null;

  constructor(options: SubscriptionsOptions) {
    this.#options = options;
  }

  hasPacketId(packetId: number): boolean {
    return this.#pending.has(packetId);
  }

  /** A connection is up: a new session is subscribed again, then come the requests that have had no answer yet. */
  onConnected(link: BrokerLink, sessionPresent: boolean): void {
    this.#link = link;
    const unanswered = [...this.#pending.values()];
    if (!sessionPresent) this.#subscribeAgain();
    for (const { packet } of unanswered) link.outbox.packet(packet);
  }

  onConnectionEnd(): void {
    this.#link = null;
    for (const [packetId, { isAgain, resolve }] of this.#pending) {
      if (!isAgain) continue;
      this.#pending.delete(packetId);
      resolve([]);
    }
  }

  subscribe(
    requests: readonly SubscribeRequest[],
    properties: SubscribeProperties,
  ): Promise<readonly number[]> {
    return this.#request(
      (packetId) => buildSubscribe(packetId, requests.map(withDefaults), properties),
      false,
    );
  }

  unsubscribe(filters: readonly string[]): Promise<readonly number[]> {
    return this.#request(
      (packetId) => ({ type: PacketType.Unsubscribe, packetId, filters: [...filters], properties: {} }),
      false,
    );
  }

  onAnswer(answer: SubackPacket | UnsubackPacket): ReasonCode {
    const pending = this.#pending.get(answer.packetId);
    if (pending === undefined) return ReasonCode.ProtocolError;
    const { packet, resolve } = pending;
    if (packet.type === PacketType.Subscribe) {
      const { subscriptions, properties } = packet;
      if (answer.type !== PacketType.Suback || answer.reasonCodes.length !== subscriptions.length) {
        return ReasonCode.ProtocolError; // [MQTT-3.8.4-6]
      }
      for (const [index, request] of subscriptions.entries()) {
        if (answer.reasonCodes[index]! < 0x80) this.#kept.set(request.filter, { request, properties });
      }
    } else {
      if (answer.type !== PacketType.Unsuback) return ReasonCode.ProtocolError;
      for (const filter of packet.filters) this.#kept.delete(filter);
    }
    this.#pending.delete(answer.packetId);
    resolve(answer.reasonCodes);
    return ReasonCode.Success;
  }

  rejectAll(error: DavylampError): void {
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject } of pending) reject(error);
  }

  #request(
    build: (packetId: number) => SubscribePacket | UnsubscribePacket,
    isAgain: boolean,
  ): Promise<readonly number[]> {
    return new Promise((resolve, reject) => {
      if (this.#pending.size >= maximumPending) {
        const message = `${maximumPending} subscriptions wait for an answer already; wait for some first`;
        reject(new DavylampError('QUEUE_FULL', message));
        return;
      }
      const packet = build(this.#options.nextPacketId());
      this.#pending.set(packet.packetId, { packet, isAgain, resolve, reject });
      this.#link?.outbox.packet(packet);
    });
  }

  #subscribeAgain(): void {
    const byProperties = new Map<string, Kept[]>();
    for (const kept of this.#kept.values()) {
      const key = JSON.stringify(kept.properties);
      const group = byProperties.get(key);
      if (group === undefined) byProperties.set(key, [kept]);
      else group.push(kept);
    }
    for (const group of byProperties.values()) {
      for (let start = 0; start < group.length; start += filtersPerPacket) {
        this.#restore(group.slice(start, start + filtersPerPacket));
      }
    }
  }

  #restore(group: readonly Kept[]): void {
    const requests = group.map((kept) => kept.request);
    this.#request((packetId) => buildSubscribe(packetId, requests, group[0]!.properties), true).then(
      (codes) => {
        for (const [index, code] of codes.entries()) {
          if (code < 0x80) continue;
          const { filter } = requests[index]!;
          this.#kept.delete(filter);
          this.#options.log.warning('subscription is refused now', { filter, reason: reasonName(code) });
        }
      },
      // The client was closed: nobody waits for this.
      () => {},
    );
  }
}

function buildSubscribe(
  packetId: number,
  subscriptions: readonly SubscriptionRequest[],
  properties: SubscribeProperties,
): SubscribePacket {
  return { type: PacketType.Subscribe, packetId, subscriptions, properties };
}

function withDefaults(request: SubscribeRequest): SubscriptionRequest {
  return {
    filter: request.filter,
    qos: request.qos,
    noLocal: request.noLocal ?? false,
    retainAsPublished: request.retainAsPublished ?? false,
    retainHandling: request.retainHandling ?? 0,
  };
}

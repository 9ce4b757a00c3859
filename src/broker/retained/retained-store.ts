import { ProtocolVersion, publishLength, ReasonCode } from '#mqtt';
import { TopicStore, type TopicSearch } from '#topics';
import type { BrokerCore } from '../core.ts';
import type { Message } from '../message.ts';
import type { Source } from '../ports.ts';

/** Retained messages that one sweep looks at. */
const sweepSlice = 1000;

/** Part of the memory bound that retained messages may take, with all that belongs to them. */
const mostOfMemory = 0.3;

/** Memory beside the bytes, as measured: of a message, the journal's part included; of a level; of a user property. */
const messageCost = 480;
const levelCost = 260;
const propertyCost = 160;

/**
 * The last retained message of each topic, bounded by count and bytes. `$SYS` has no place in these bounds: what the
 * broker says about itself is limited by itself.
 */
export class RetainedStore {
  readonly #core: BrokerCore;
  readonly #store = new TopicStore<Message>();
  /** Wall time at which each was stored; only where they grow too old (`retainExpirySeconds`). */
  readonly #storedAt = new Map<string, number>();
  /** Only where it is asked for whether they may still publish there (`checkRetainSource`). */
  readonly #sources = new Map<string, Source>();
  #ownCount = 0;
  #ownLevels = 0;
  /** Topics, payloads and properties: what the bound counts. */
  #bytes = 0;
  /** As `#bytes`, with what the messages take beside. */
  #cost = 0;
  #sweep: TopicSearch<Message> | null = null;

  constructor(core: BrokerCore) {
    this.#core = core;
  }

  /**
   * Keeps the message in place of the topic's last [MQTT-3.3.1-5]; an empty one removes that [MQTT-3.3.1-6]
   * [MQTT-3.3.1-7]. `QuotaExceeded` at the bounds: then nothing has changed. `source`: `null` = the broker itself.
   */
  store(message: Message, source: Source | null): ReasonCode {
    const { topic } = message;
    if (message.payloadLength === 0) {
      this.#remove(topic);
      return ReasonCode.Success;
    }
    const former = this.#store.get(topic);
    const growth = sizeOf(message) - (former === undefined ? 0 : sizeOf(former));
    const isFull = growth > 0 && (this.#core.memory.isKeptFull || this.#takesMuch());
    if (isFull || !this.#hasRoom(growth, former)) {
      this.#core.drop(isFull ? 'memory' : 'retained-full', message.publisherId, topic);
      return ReasonCode.QuotaExceeded;
    }
    this.#store.set(topic, message.keepApart());
    this.#core.journal.recordRetained(message);
    this.#add(message, former);
    this.#count(message.payloadLength - (former?.payloadLength ?? 0));
    const { retainExpirySeconds = 0, checkRetainSource = false } = this.#core.limits;
    if (retainExpirySeconds > 0) this.#storedAt.set(topic, this.#core.now);
    if (checkRetainSource && source !== null) this.#sources.set(topic, source);
    else this.#sources.delete(topic);
    return ReasonCode.Success;
  }

  /** What the broker says about itself: outside of the bounds, and not kept over a restart. */
  storeOwn(message: Message): void {
    const before = this.#store.nodes;
    if (this.#store.get(message.topic) === undefined) this.#ownCount++;
    this.#store.set(message.topic, message);
    this.#ownLevels += this.#store.nodes - before;
    this.#count(0);
  }

  /** The broker says this no more. */
  clearOwn(topic: string): void {
    if (this.#store.get(topic) === undefined) return;
    const before = this.#store.nodes;
    this.#store.delete(topic);
    this.#ownLevels -= before - this.#store.nodes;
    this.#ownCount--;
    this.#count(0);
  }

  /** It has not expired, and its publisher may still publish there where that is asked for. */
  isValid(message: Message, now: number): boolean {
    if (this.#isTooOld(message, now)) return false;
    const source = this.#sources.get(message.topic);
    return source === undefined || source.authorizer.mayPublish(source.identity, message.topic);
  }

  /** Puts back what an earlier run kept. */
  restore(message: Message): void {
    this.#store.set(message.topic, message);
    if ((this.#core.limits.retainExpirySeconds ?? 0) > 0) this.#storedAt.set(message.topic, this.#core.now);
    this.#add(message, undefined);
    this.#count(message.payloadLength);
  }

  search(filter: string): TopicSearch<Message> {
    return this.#store.search(filter);
  }

  /** Removes some of what has expired; called each second, it comes round to every topic in time. */
  sweepExpired(now: number): void {
    this.#sweep ??= this.#store.search('#');
    const expired: string[] = [];
    const goesOn = this.#sweep.next(sweepSlice, (message, topic) => {
      if (this.#isTooOld(message, now)) expired.push(topic);
    });
    if (!goesOn) this.#sweep = null;
    for (const topic of expired) this.#remove(topic);
  }

  #isTooOld(message: Message, now: number): boolean {
    if (message.hasExpired(now)) return true;
    const storedAt = this.#storedAt.get(message.topic);
    if (storedAt === undefined || message.expiresAt !== 0) return false;
    const { retainExpirySeconds = 0 } = this.#core.limits;
    return retainExpirySeconds > 0 && now - storedAt >= retainExpirySeconds * 1000;
  }

  #hasRoom(growth: number, former: Message | undefined): boolean {
    const { maximumRetainedMessages, maximumRetainedBytes } = this.#core.limits;
    const size = this.#store.size - this.#ownCount;
    if (former === undefined && size >= maximumRetainedMessages) return false;
    return growth <= 0 || this.#bytes + growth <= maximumRetainedBytes;
  }

  /** Deep topics, and many small messages, take many times their bytes. */
  #takesMuch(): boolean {
    const { maximumMemory = 0 } = this.#core.limits;
    const levels = this.#store.nodes - this.#ownLevels;
    return maximumMemory > 0 && this.#cost + levels * levelCost > maximumMemory * mostOfMemory;
  }

  #add(message: Message | undefined, former: Message | undefined): void {
    if (message !== undefined) {
      this.#bytes += sizeOf(message);
      this.#cost += costOf(message);
    }
    if (former === undefined) return;
    this.#bytes -= sizeOf(former);
    this.#cost -= costOf(former);
  }

  #remove(topic: string): void {
    const former = this.#store.delete(topic);
    if (former === undefined) return;
    this.#storedAt.delete(topic);
    this.#sources.delete(topic);
    this.#core.journal.recordRetainedCleared(topic);
    this.#add(undefined, former);
    this.#count(-former.payloadLength);
  }

  #count(bytes: number): void {
    this.#core.statistics.retainedBytes += bytes;
    this.#core.statistics.retainedMessages = this.#store.size;
  }
}

/** Properties can be much larger than the payload. */
function sizeOf({ payloadLength, properties, topicLength }: Message): number {
  if (properties === null) return payloadLength + topicLength;
  return publishLength(topicLength, payloadLength, 0, properties, ProtocolVersion.V5);
}

/** Memory beside that of its topic's levels. */
function costOf(message: Message): number {
  return messageCost + sizeOf(message) + (message.properties?.userProperties?.length ?? 0) * propertyCost;
}

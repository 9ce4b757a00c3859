import type { Delivery } from '../message.ts';
import { DeliveryRing } from './delivery-ring.ts';

/** What a queue that can leave messages on the disk holds in memory: count, and bytes of topics and payloads. */
const windowCount = 1024;
const windowBytes = 1024 * 1024;
/** The same while the client is away: a page comes from the disk before it is needed. */
const awayCount = 16;
const awayBytes = 16 * 1024;
/** Memory of a message that waits, beside its bytes, and of one on the disk: the journal knows where. */
const waitingCost = 400;
const spilledCost = 128;
/** Urgent messages that are taken although the bounds are reached: a backlog must not keep an alarm out. */
const urgentRoom = 1000;

/**
 * Messages of one session that wait to be sent, bounded by count and by bytes.
 *
 *   urgent    overtakes all others; in memory
 *   window    the oldest of the others; in memory
 *   spilled   those behind the window; on the disk alone, read back a page at a time
 *
 * Invariant: nothing is put into the window while something behind it is spilled, so the order is kept.
 */
export class MessageQueue {
  #maximumCount: number;
  #maximumBytes: number;
  readonly #window = new DeliveryRing();
  #urgent: DeliveryRing | null = null;
  #spilledCount = 0;
  #spilledBytes = 0;
  /** Serial of the last message that is or was in the window. */
  #lastInWindow = 0;
  /** Messages of this queue can be read back from the disk. */
  canSpill = false;
  /** Nobody takes messages: hardly any are held in memory. */
  isAway = false;
  /** A page is on its way. */
  isLoading = false;

  constructor(maximumCount: number, maximumBytes: number) {
    this.#maximumCount = maximumCount;
    this.#maximumBytes = maximumBytes;
  }

  /** What is above the new bounds stays. */
  changeBounds(maximumCount: number, maximumBytes: number): void {
    this.#maximumCount = maximumCount;
    this.#maximumBytes = maximumBytes;
  }

  get length(): number {
    return this.#window.length + this.#spilledCount + (this.#urgent === null ? 0 : this.#urgent.length);
  }

  /** Of topics and payloads, wherever they are. */
  get bytes(): number {
    return this.#window.bytes + this.#spilledBytes + (this.#urgent === null ? 0 : this.#urgent.bytes);
  }

  /** What it takes in memory, about: a message that waits in several queues is counted in each. */
  get memoryBytes(): number {
    const inMemory = this.length - this.#spilledCount;
    return this.bytes - this.#spilledBytes + inMemory * waitingCost + this.#spilledCount * spilledCost;
  }

  get isAboveHalf(): boolean {
    return this.length * 2 > this.#maximumCount || this.bytes * 2 > this.#maximumBytes;
  }

  get isBelowQuarter(): boolean {
    return this.length * 4 < this.#maximumCount && this.bytes * 4 < this.#maximumBytes;
  }

  /** The next message would stay on the disk alone. */
  get isSpilling(): boolean {
    if (!this.canSpill) return false;
    if (this.#spilledCount > 0) return true;
    const { length, bytes } = this.#window;
    return this.isAway
      ? length >= awayCount || bytes >= awayBytes
      : length >= windowCount || bytes >= windowBytes;
  }

  /** Messages that stand on the disk alone. */
  get spilledCount(): number {
    return this.#spilledCount;
  }

  get oldestOrdinary(): Delivery | null {
    return this.#window.front;
  }

  /** The oldest message, as far as it is in memory. */
  get oldest(): Delivery | null {
    const ordinary = this.#window.front;
    const urgent = this.#urgent?.front ?? null;
    if (ordinary === null || urgent === null) return ordinary ?? urgent;
    return urgent.serial < ordinary.serial ? urgent : ordinary;
  }

  /** Puts a message at the end; false when the queue is at a bound. One that spills must be in the journal by now. */
  push(delivery: Delivery): boolean {
    const { size } = delivery;
    const isFull = this.length >= this.#maximumCount || this.bytes + size > this.#maximumBytes;
    if (delivery.isUrgent) {
      if (isFull && (this.#urgent?.length ?? 0) >= urgentRoom) return false;
      this.#urgent ??= new DeliveryRing();
      this.#urgent.push(delivery);
      return true;
    }
    if (isFull) return false;
    if (this.isSpilling) {
      this.#spilledCount++;
      this.#spilledBytes += size;
    } else this.#enter(delivery);
    return true;
  }

  /** The next message to be sent; `null`: there is none, or it is still on the disk. */
  shift(): Delivery | null {
    return (this.#urgent?.length ?? 0) > 0 ? this.#urgent!.shift() : this.#window.shift();
  }

  /** The ordinary message that has waited longest, as far as it is in memory. */
  shiftOldest(): Delivery | null {
    return this.#window.shift();
  }

  /** Leaves what is in memory on the disk alone, but for what is urgent. Each of them is in the journal. */
  leaveOnDisk(): void {
    const first = this.#window.front;
    if (!this.canSpill || first === null || this.isLoading) return;
    this.#spilledCount += this.#window.length;
    this.#spilledBytes += this.#window.bytes;
    this.#lastInWindow = first.serial - 1;
    this.#window.clear();
  }

  /** What an earlier run left on the disk. */
  restoreSpilled(count: number, bytes: number): void {
    this.#spilledCount = count;
    this.#spilledBytes = bytes;
  }

  /** A page should be read now: the window is half empty, and there is more. */
  get wantsPage(): boolean {
    return this.#spilledCount > 0 && !this.isLoading && this.#window.length < windowCount / 2;
  }

  /** The page that comes next begins behind this serial. */
  get pageAfter(): number {
    return this.#lastInWindow;
  }

  /** Takes a page that was read behind `pageAfter`. */
  addPage(page: readonly Delivery[]): void {
    for (const delivery of page) {
      this.#spilledCount--;
      this.#spilledBytes -= delivery.size;
      this.#enter(delivery);
    }
  }

  /** The disk has no more: what was thought to be there is not. How many messages that was. */
  forgetSpilled(): number {
    const lost = this.#spilledCount;
    this.#spilledCount = 0;
    this.#spilledBytes = 0;
    return lost;
  }

  /** Looks at each message in memory, oldest first in each lane. */
  forEach(visit: (delivery: Delivery) => void): void {
    this.#urgent?.forEach(visit);
    this.#window.forEach(visit);
  }

  clear(): void {
    this.#urgent = null;
    this.#window.clear();
    this.forgetSpilled();
  }

  #enter(delivery: Delivery): void {
    this.#window.push(delivery);
    this.#lastInWindow = delivery.serial;
  }
}

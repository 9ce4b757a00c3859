import type { Delivery } from '../message.ts';

/** What the client has not finished yet. */
export const InflightState = {
  Free: 0,
  /** QoS 1: PUBACK is due. */
  AwaitingPuback: 1,
  /** QoS 2: PUBREC is due. */
  AwaitingPubrec: 2,
  /** QoS 2: PUBREL was sent or is due, then PUBCOMP. */
  AwaitingPubcomp: 3,
} as const;
export type InflightState = (typeof InflightState)[keyof typeof InflightState];

/** Packet ids that there are. */
const packetIds = 65_535;

/**
 * Messages that were sent and are not acknowledged, by packet id.
 *
 *   packet id = base + slot + 1, and after 65,535 comes 1; the base lets ids go on after a restart
 *   #states      |1|0|2|3|…       #deliveries |d4|·|d5|d2|…
 *   #free        ring of slots that are free: an id is used again as late as possible
 *
 * Invariant: slots below `#made` are in `#free` or have a state; a slot is in `#free` exactly once.
 */
export class Inflight {
  #capacity: number;
  readonly #states: InflightState[] = [];
  readonly #deliveries: (Delivery | null)[] = [];
  #free: number[] = [];
  #freeFirst = 0;
  #size = 0;
  #base = 0;

  /** At most 65,535 messages [MQTT-2.2.1-3]. */
  constructor(capacity: number) {
    this.#capacity = Math.min(capacity, packetIds);
  }

  /** A smaller one lets what is in flight finish. */
  set capacity(capacity: number) {
    this.#capacity = Math.min(capacity, packetIds);
  }

  /** The next new id is the one after this; only while no id has been used. */
  startAfter(packetId: number): void {
    if (this.#states.length === 0) this.#base = packetId % packetIds;
  }

  get size(): number {
    return this.#size;
  }

  get isFull(): boolean {
    return this.#size >= this.#capacity;
  }

  /** Takes a packet id for a message [MQTT-2.2.1-4]; must not be called when full. */
  open(delivery: Delivery): number {
    let slot: number;
    // New slots first, up to the capacity: so ids go round instead of the same one serving every message.
    if (this.#states.length < this.#capacity) slot = this.#states.length;
    else {
      slot = this.#free[this.#freeFirst]!;
      this.#freeFirst++;
      if (this.#freeFirst > 64 && this.#freeFirst * 2 > this.#free.length) {
        this.#free = this.#free.slice(this.#freeFirst);
        this.#freeFirst = 0;
      }
    }
    this.#states[slot] = delivery.qos === 1 ? InflightState.AwaitingPuback : InflightState.AwaitingPubrec;
    this.#deliveries[slot] = delivery;
    this.#size++;
    return this.#idOf(slot);
  }

  /** Puts back what an earlier run of the broker had in flight, under its packet id. */
  restore(packetId: number, delivery: Delivery, isReceived: boolean): void {
    const slot = this.#slotOf(packetId);
    while (this.#states.length <= slot) {
      this.#free.push(this.#states.length);
      this.#states.push(InflightState.Free);
      this.#deliveries.push(null);
    }
    this.#free.splice(this.#free.indexOf(slot, this.#freeFirst), 1);
    if (isReceived) this.#states[slot] = InflightState.AwaitingPubcomp;
    else
      this.#states[slot] = delivery.qos === 1 ? InflightState.AwaitingPuback : InflightState.AwaitingPubrec;
    this.#deliveries[slot] = delivery;
    this.#size++;
  }

  stateOf(packetId: number): InflightState {
    return this.#states[this.#slotOf(packetId)] ?? InflightState.Free;
  }

  deliveryOf(packetId: number): Delivery | null {
    return this.#deliveries[this.#slotOf(packetId)] ?? null;
  }

  /** PUBREC came: from now on only PUBREL is sent [MQTT-4.3.3-4]. */
  markReceived(packetId: number): void {
    this.#states[this.#slotOf(packetId)] = InflightState.AwaitingPubcomp;
  }

  /** The id may be used again. */
  close(packetId: number): void {
    const slot = this.#slotOf(packetId);
    this.#states[slot] = InflightState.Free;
    this.#deliveries[slot] = null;
    this.#free.push(slot);
    this.#size--;
  }

  /** The packet ids in use, in the order in which their messages were first sent [MQTT-4.6.0-1]. */
  inOrder(): number[] {
    const slots: number[] = [];
    for (let slot = 0; slot < this.#states.length; slot++)
      if (this.#states[slot] !== InflightState.Free) slots.push(slot);
    const serialOf = (slot: number): number => this.#deliveries[slot]?.serial ?? 0;
    return slots.sort((a, b) => serialOf(a) - serialOf(b)).map((slot) => this.#idOf(slot));
  }

  #idOf(slot: number): number {
    return ((this.#base + slot) % packetIds) + 1;
  }

  /** Beyond all slots for an id that is not in use. */
  #slotOf(packetId: number): number {
    const slot = packetId - 1 - this.#base;
    return slot < 0 ? slot + packetIds : slot;
  }
}

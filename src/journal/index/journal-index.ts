import type { StoredSubscription, StoredWill } from '#broker';
import { MessageTable } from './message-table.ts';
import type { Placed, SessionEntry } from './session-entry.ts';

/** What an `Incoming` record counts for: it is about this long. */
const incomingSize = 6;

/** Keeps account of how many bytes of each part of the log are still needed. */
export interface Ledger {
  add(lsn: number, size: number): void;
  take(lsn: number, size: number): void;
}

const noLedger: Ledger = { add: () => {}, take: () => {} };

/** A retained topic and its message. */
export interface RetainedEntry {
  lsn: number;
  readonly size: number;
  readonly slot: number;
}

/** Where everything that is not forgotten stands in the log. Holds no payload but those of wills. */
export class JournalIndex {
  readonly messages = new MessageTable();
  readonly sessions = new Map<string, SessionEntry>();
  readonly sessionsById = new Map<number, SessionEntry>();
  readonly retained = new Map<string, RetainedEntry>();
  nextSessionId = 1;
  nextMessageId = 1;
  /** Deliveries of all sessions. */
  deliveryCount = 0;
  #ledger: Ledger = noLedger;

  addSession(entry: SessionEntry, clientId: string, lsn: number, size: number): void {
    entry.clientId = clientId;
    entry.lsn = lsn;
    entry.size = size;
    this.sessions.set(clientId, entry);
    this.sessionsById.set(entry.id, entry);
    this.#ledger.add(lsn, size);
  }

  addSubscription(entry: SessionEntry, value: StoredSubscription, lsn: number, size: number): void {
    this.removeSubscription(entry, value.filter);
    entry.subscriptions.set(value.filter, { value, lsn, size });
    this.#ledger.add(lsn, size);
  }

  removeSubscription(entry: SessionEntry, filter: string): void {
    const former = entry.subscriptions.get(filter);
    if (former === undefined) return;
    entry.subscriptions.delete(filter);
    this.#forget(former);
  }

  setWill(entry: SessionEntry, value: StoredWill, lsn: number, size: number): void {
    this.clearWill(entry);
    entry.will = { value, lsn, size };
    this.#ledger.add(lsn, size);
  }

  clearWill(entry: SessionEntry): void {
    if (entry.will !== null) this.#forget(entry.will);
    entry.will = null;
  }

  addIncoming(entry: SessionEntry, packetId: number, lsn: number): void {
    this.removeIncoming(entry, packetId);
    entry.incoming ??= new Map();
    entry.incoming.set(packetId, lsn);
    this.#ledger.add(lsn, incomingSize);
  }

  removeIncoming(entry: SessionEntry, packetId: number): void {
    const lsn = entry.incoming?.get(packetId);
    if (lsn === undefined) return;
    entry.incoming?.delete(packetId);
    this.#ledger.take(lsn, incomingSize);
  }

  /** Adds a message that something is about to refer to. */
  addMessage(id: number, lsn: number, size: number, weight: number): number {
    this.#ledger.add(lsn, size);
    return this.messages.add(id, lsn, size, weight);
  }

  setRetained(topic: string, slot: number, lsn: number, size: number): void {
    this.messages.refer(slot);
    this.clearRetained(topic);
    this.retained.set(topic, { lsn, size, slot });
    this.#ledger.add(lsn, size);
  }

  clearRetained(topic: string): void {
    const former = this.retained.get(topic);
    if (former === undefined) return;
    this.retained.delete(topic);
    this.#ledger.take(former.lsn, former.size);
    this.#release(former.slot);
  }

  /** `serial` must be above all others of the session. */
  addDelivery(
    entry: SessionEntry,
    serial: number,
    slot: number,
    lsn: number,
    size: number,
    isUrgent: boolean,
  ): void {
    this.messages.refer(slot);
    entry.deliveries.append(serial, lsn, slot, size, isUrgent);
    this.deliveryCount++;
    this.#ledger.add(lsn, size);
  }

  removeDelivery(entry: SessionEntry, place: number): void {
    const { deliveries } = entry;
    this.#ledger.take(deliveries.lsnAt(place), deliveries.sizeAt(place));
    this.#release(deliveries.slotAt(place));
    deliveries.remove(place);
    this.deliveryCount--;
  }

  /** The session and everything it holds. */
  removeSession(entry: SessionEntry): void {
    for (const one of entry.subscriptions.values()) this.#forget(one);
    this.clearWill(entry);
    for (const lsn of entry.incoming?.values() ?? []) this.#ledger.take(lsn, incomingSize);
    const { deliveries } = entry;
    for (let place = deliveries.after(-1); place !== -1; place = deliveries.next(place)) {
      this.#ledger.take(deliveries.lsnAt(place), deliveries.sizeAt(place));
      this.#release(deliveries.slotAt(place));
      this.deliveryCount--;
    }
    this.#ledger.take(entry.lsn, entry.size);
    if (entry.clientId !== null && this.sessions.get(entry.clientId) === entry)
      this.sessions.delete(entry.clientId);
    this.sessionsById.delete(entry.id);
  }

  /** Opens the ledger, with everything that was read from the log so far. */
  account(ledger: Ledger): void {
    this.#ledger = ledger;
    const { messages } = this;
    for (const slot of messages.slots()) this.#ledger.add(messages.lsnOf(slot), messages.sizeOf(slot));
    for (const { lsn, size } of this.retained.values()) this.#ledger.add(lsn, size);
    for (const entry of this.sessions.values()) this.#accountSession(entry);
  }

  #accountSession(entry: SessionEntry): void {
    this.#ledger.add(entry.lsn, entry.size);
    for (const { lsn, size } of entry.subscriptions.values()) this.#ledger.add(lsn, size);
    if (entry.will !== null) this.#ledger.add(entry.will.lsn, entry.will.size);
    for (const lsn of entry.incoming?.values() ?? []) this.#ledger.add(lsn, incomingSize);
    const { deliveries } = entry;
    for (let place = deliveries.after(-1); place !== -1; place = deliveries.next(place))
      this.#ledger.add(deliveries.lsnAt(place), deliveries.sizeAt(place));
  }

  #release(slot: number): void {
    const { messages } = this;
    if (!messages.release(slot)) return;
    this.#ledger.take(messages.lsnOf(slot), messages.sizeOf(slot));
    messages.remove(slot);
  }

  #forget(placed: Placed<unknown>): void {
    this.#ledger.take(placed.lsn, placed.size);
  }
}

import type { StoredWill } from '#broker';
import { createDeliveryRecord, readDelivery } from '../records/delivery-record.ts';
import { RecordType } from '../records/format.ts';
import { readWill, skipMessage } from '../records/message-record.ts';
import type { RecordReader } from '../records/record-reader.ts';
import { readSession, readSubscription } from '../records/session-record.ts';
import { DeliveryRing } from './delivery-ring.ts';
import type { JournalIndex } from './journal-index.ts';
import { unknownLsn } from './message-table.ts';
import { SessionEntry } from './session-entry.ts';

/** What stood in the log without the record that it depends on; only a repaired journal has such. */
export interface Orphans {
  readonly deliveries: number;
  readonly sessions: number;
  readonly retained: number;
}

/**
 * Rebuilds the index from the records of the log, oldest first. What was moved to the end of the log stands behind
 * records that depend on it, so a session or a message may be named before its own record is read; what names one that
 * never comes was forgotten before the log begins.
 */
export class Replay {
  readonly #index: JournalIndex;
  readonly #record = createDeliveryRecord();

  constructor(index: JournalIndex) {
    this.#index = index;
  }

  /** Applies all records of one batch. False when they are not what they should be. */
  apply(reader: RecordReader, lsn: number): boolean {
    const start = reader.at;
    while (reader.at < reader.end) {
      const begin = reader.at;
      if (!this.#applyOne(reader, lsn + begin - start)) return false;
    }
    return !reader.isOverrun;
  }

  /** Called once, behind the last batch. */
  finish(): Orphans {
    const index = this.#index;
    const orphans = { deliveries: 0, sessions: 0, retained: 0 };
    for (const entry of index.sessionsById.values()) {
      if (entry.late.length > 0) merge(entry);
      if (entry.clientId !== null) {
        orphans.deliveries += this.#dropWithoutMessage(entry);
        continue;
      }
      orphans.sessions++;
      orphans.deliveries += entry.deliveries.size;
      index.removeSession(entry);
    }
    for (const [topic, { slot }] of index.retained) {
      if (index.messages.lsnOf(slot) !== unknownLsn) continue;
      orphans.retained++;
      index.clearRetained(topic);
    }
    for (const slot of index.messages.slots())
      if (index.messages.countOf(slot) === 0) index.messages.remove(slot);
    return orphans;
  }

  #applyOne(reader: RecordReader, lsn: number): boolean {
    const begin = reader.at;
    const type = reader.byte();
    switch (type) {
      case RecordType.Message:
        this.#message(reader, lsn, begin);
        return true;
      case RecordType.Queued:
        this.#queued(reader, lsn, begin);
        return true;
      case RecordType.Sent:
      case RecordType.Received:
      case RecordType.Done:
        this.#progress(reader, type);
        return true;
      case RecordType.Retained:
        this.#retained(reader, lsn, begin);
        return true;
      case RecordType.RetainedCleared:
        this.#index.clearRetained(reader.text());
        return true;
      case RecordType.Session:
        this.#session(reader, lsn, begin);
        return true;
      default:
        return this.#ofSession(reader, type, lsn, begin);
    }
  }

  #ofSession(reader: RecordReader, type: number, lsn: number, begin: number): boolean {
    const index = this.#index;
    const entry = this.#entry(reader.varint());
    switch (type) {
      case RecordType.SessionState:
        entry.expirySeconds = reader.varint();
        entry.disconnectedAt = reader.varint();
        entry.lastSerial = Math.max(entry.lastSerial, reader.varint());
        return true;
      case RecordType.SessionEnded:
        for (const ring of entry.late.splice(0)) this.#dropAll(ring);
        index.removeSession(entry);
        return true;
      case RecordType.Subscription: {
        const options = readSubscription(reader);
        index.addSubscription(entry, options, lsn, reader.at - begin);
        return true;
      }
      case RecordType.Unsubscription:
        index.removeSubscription(entry, reader.text());
        return true;
      case RecordType.Incoming:
        index.addIncoming(entry, reader.varint(), lsn);
        return true;
      case RecordType.IncomingReleased:
        index.removeIncoming(entry, reader.varint());
        return true;
      case RecordType.Will:
        return this.#will(entry, readWill(reader), lsn, reader.at - begin);
      case RecordType.WillCleared:
        index.clearWill(entry);
        return true;
      default:
        return false;
    }
  }

  /** A session by its number, also before its own record. */
  #entry(id: number): SessionEntry {
    const index = this.#index;
    let entry = index.sessionsById.get(id);
    if (entry === undefined) {
      entry = new SessionEntry(id);
      index.sessionsById.set(id, entry);
      index.nextSessionId = Math.max(index.nextSessionId, id + 1);
    }
    return entry;
  }

  #session(reader: RecordReader, lsn: number, begin: number): void {
    const facts = readSession(reader);
    const entry = this.#entry(facts.id);
    entry.owner = facts.owner;
    entry.expirySeconds = facts.expirySeconds;
    entry.disconnectedAt = facts.disconnectedAt;
    entry.lastSerial = Math.max(entry.lastSerial, facts.lastSerial);
    this.#index.addSession(entry, facts.clientId, lsn, reader.at - begin);
  }

  #will(entry: SessionEntry, will: StoredWill | null, lsn: number, size: number): boolean {
    if (will !== null) this.#index.setWill(entry, will, lsn, size);
    return will !== null;
  }

  #message(reader: RecordReader, lsn: number, begin: number): void {
    const { messages } = this.#index;
    const id = reader.varint();
    const weight = reader.varint();
    skipMessage(reader);
    const size = reader.at - begin;
    const slot = messages.find(id);
    if (slot === -1) messages.add(id, lsn, size, weight);
    else messages.place(slot, lsn, size, weight);
    this.#index.nextMessageId = Math.max(this.#index.nextMessageId, id + 1);
  }

  #slot(messageId: number): number {
    const { messages } = this.#index;
    const slot = messages.find(messageId);
    if (slot !== -1) return slot;
    this.#index.nextMessageId = Math.max(this.#index.nextMessageId, messageId + 1);
    return messages.add(messageId, unknownLsn, 0, 0);
  }

  #queued(reader: RecordReader, lsn: number, begin: number): void {
    const record = this.#record;
    readDelivery(reader, record);
    const size = reader.at - begin;
    const { serial, isUrgent } = record;
    const entry = this.#entry(record.sessionId);
    entry.lastSerial = Math.max(entry.lastSerial, serial);
    let ring = ringOf(entry, serial);
    if (ring === null) {
      const slot = this.#slot(record.messageId);
      this.#index.messages.refer(slot);
      this.#index.deliveryCount++;
      ring = ringFor(entry, serial);
      ring.append(serial, lsn, slot, size, isUrgent);
    }
    const place = ring.find(serial);
    ring.move(place, lsn, size);
    if (record.packetId !== 0) ring.setPacketId(place, record.packetId);
    if (record.received) ring.setReceived(place);
  }

  #progress(reader: RecordReader, type: RecordType): void {
    const entry = this.#index.sessionsById.get(reader.varint());
    const serial = reader.varint();
    const packetId = type === RecordType.Sent ? reader.varint() : 0;
    const ring = entry === undefined ? null : ringOf(entry, serial);
    if (ring === null) return;
    const place = ring.find(serial);
    if (type === RecordType.Sent) ring.setPacketId(place, packetId);
    else if (type === RecordType.Received) ring.setReceived(place);
    else this.#drop(ring, place);
  }

  #retained(reader: RecordReader, lsn: number, begin: number): void {
    const slot = this.#slot(reader.varint());
    const topic = reader.text();
    this.#index.setRetained(topic, slot, lsn, reader.at - begin);
  }

  #drop(ring: DeliveryRing, place: number): void {
    const { messages } = this.#index;
    const slot = ring.slotAt(place);
    ring.remove(place);
    this.#index.deliveryCount--;
    if (messages.release(slot)) messages.remove(slot);
  }

  #dropAll(ring: DeliveryRing): void {
    for (let place = ring.after(-1); place !== -1; place = ring.after(-1)) this.#drop(ring, place);
  }

  #dropWithoutMessage(entry: SessionEntry): number {
    const { messages } = this.#index;
    const { deliveries } = entry;
    let dropped = 0;
    let serial = -1;
    for (let place = deliveries.after(serial); place !== -1; place = deliveries.after(serial)) {
      serial = deliveries.serialAt(place);
      if (messages.lsnOf(deliveries.slotAt(place)) !== unknownLsn) continue;
      this.#drop(deliveries, place);
      dropped++;
    }
    return dropped;
  }
}

/** The ring that holds this delivery. */
function ringOf(entry: SessionEntry, serial: number): DeliveryRing | null {
  if (entry.deliveries.find(serial) !== -1) return entry.deliveries;
  for (const ring of entry.late) if (ring.find(serial) !== -1) return ring;
  return null;
}

/** A ring to whose end this delivery may be put. */
function ringFor(entry: SessionEntry, serial: number): DeliveryRing {
  if (serial > entry.deliveries.lastSerial) return entry.deliveries;
  for (const ring of entry.late) if (serial > ring.lastSerial) return ring;
  const ring = new DeliveryRing();
  entry.late.push(ring);
  return ring;
}

/** Makes one ring of all, in the order of serials. */
function merge(entry: SessionEntry): void {
  const rings = [entry.deliveries, ...entry.late];
  const places = rings.map((ring) => ring.after(-1));
  const merged = new DeliveryRing();
  for (;;) {
    let lowest = -1;
    for (const [at, place] of places.entries()) {
      if (place === -1) continue;
      if (lowest === -1 || rings[at]!.serialAt(place) < rings[lowest]!.serialAt(places[lowest]!)) lowest = at;
    }
    if (lowest === -1) break;
    const ring = rings[lowest]!;
    const place = places[lowest]!;
    const serial = ring.serialAt(place);
    merged.append(serial, ring.lsnAt(place), ring.slotAt(place), ring.sizeAt(place), ring.isUrgentAt(place));
    const to = merged.find(serial);
    merged.setPacketId(to, ring.packetIdAt(place));
    if (ring.isReceivedAt(place)) merged.setReceived(to);
    places[lowest] = ring.next(place);
  }
  entry.deliveries = merged;
  entry.late = [];
}

import type {
  Journal,
  JournalState,
  StoredDelivery,
  StoredDeliveryState,
  StoredMessage,
  StoredSession,
  StoredState,
  StoredSubscription,
  StoredWill,
} from '#broker';

interface Kept {
  owner: string | null;
  expirySeconds: number;
  disconnectedAt: number;
  readonly subscriptions: Map<string, StoredSubscription>;
  readonly deliveries: Map<number, StoredDeliveryState>;
  readonly incoming: Set<number>;
  will: StoredWill | null;
}

type Change = () => void;

/**
 * A journal that makes nothing durable until the test says `commit()`, and remembers what was: so that a second broker
 * can begin with exactly what a crash would have left.
 */
export class SlowJournal implements Journal {
  sequence = 0;
  durableSequence = 0;
  state: JournalState = 'ok';
  #onState: (state: JournalState) => void = () => {};
  readonly #sessions = new Map<string, Kept>();
  readonly #retained = new Map<string, StoredMessage>();
  #changes: Change[] = [];
  #callback: () => void = () => {};

  onDurable(callback: () => void): void {
    this.#callback = callback;
  }

  onState(callback: (state: JournalState) => void): void {
    this.#onState = callback;
  }

  /** The disk is full, or has room again. */
  changeState(state: JournalState): void {
    this.state = state;
    this.#onState(state);
  }

  /** Makes durable what was recorded; all of it, or the first `count` records. */
  commit(count = this.#changes.length): void {
    for (const change of this.#changes.splice(0, count)) change();
    this.durableSequence += count;
    if (this.durableSequence > this.sequence) this.durableSequence = this.sequence;
    this.#callback();
  }

  /** A journal that begins with what is durable now: the next run after a crash. */
  crash(): SlowJournal {
    const next = new SlowJournal();
    for (const [clientId, kept] of this.#sessions) next.#sessions.set(clientId, kept);
    for (const [topic, message] of this.#retained) next.#retained.set(topic, message);
    return next;
  }

  load(): StoredState {
    const sessions: StoredSession[] = [];
    for (const [clientId, kept] of this.#sessions) {
      sessions.push({
        clientId,
        owner: kept.owner,
        expirySeconds: kept.expirySeconds,
        disconnectedAt: kept.disconnectedAt,
        subscriptions: [...kept.subscriptions.values()],
        deliveries: [...kept.deliveries.values()].toSorted((a, b) => a.serial - b.serial),
        incomingPacketIds: [...kept.incoming],
        will: kept.will,
      });
    }
    return { sessions, retained: [...this.#retained.values()] };
  }

  recordSessionOpened(clientId: string, owner: string | null, expirySeconds: number): void {
    this.#record(() => {
      const kept = this.#sessions.get(clientId);
      if (kept === undefined) {
        this.#sessions.set(clientId, {
          owner,
          expirySeconds,
          disconnectedAt: 0,
          subscriptions: new Map(),
          deliveries: new Map(),
          incoming: new Set(),
          will: null,
        });
      } else Object.assign(kept, { expirySeconds, disconnectedAt: 0 });
    });
  }

  recordSessionClosed(clientId: string, expirySeconds: number, disconnectedAt: number): void {
    this.#change(clientId, (kept) => Object.assign(kept, { expirySeconds, disconnectedAt }));
  }

  recordSessionEnded(clientId: string): void {
    this.#record(() => this.#sessions.delete(clientId));
  }

  recordSubscription(clientId: string, subscription: StoredSubscription): void {
    this.#change(clientId, (kept) => kept.subscriptions.set(subscription.filter, subscription));
  }

  recordUnsubscription(clientId: string, filter: string): void {
    this.#change(clientId, (kept) => kept.subscriptions.delete(filter));
  }

  recordDeliveryQueued(clientId: string, delivery: StoredDelivery): void {
    const {
      serial,
      message,
      qos,
      retain,
      subscriptionIdentifiers,
      share = '',
      isUrgent,
      queuedAt,
    } = delivery;
    const sent = { packetId: 0, received: false };
    const rest = { share, isUrgent: isUrgent ?? false, queuedAt: queuedAt ?? 0, ...sent };
    const state = { serial, message, qos, retain, subscriptionIdentifiers, ...rest };
    this.#change(clientId, (kept) => kept.deliveries.set(serial, state));
  }

  recordDeliverySent(clientId: string, serial: number, packetId: number): void {
    this.#changeDelivery(clientId, serial, { packetId });
  }

  recordDeliveryReceived(clientId: string, serial: number): void {
    this.#changeDelivery(clientId, serial, { received: true });
  }

  recordDeliveryDone(clientId: string, serial: number): void {
    this.#change(clientId, (kept) => kept.deliveries.delete(serial));
  }

  recordIncoming(clientId: string, packetId: number): void {
    this.#change(clientId, (kept) => kept.incoming.add(packetId));
  }

  recordIncomingReleased(clientId: string, packetId: number): void {
    this.#change(clientId, (kept) => kept.incoming.delete(packetId));
  }

  recordRetained(message: StoredMessage): void {
    this.#record(() => this.#retained.set(message.topic, message));
  }

  recordRetainedCleared(topic: string): void {
    this.#record(() => this.#retained.delete(topic));
  }

  recordWill(clientId: string, will: StoredWill): void {
    this.#change(clientId, (kept) => (kept.will = will));
  }

  recordWillCleared(clientId: string): void {
    this.#change(clientId, (kept) => (kept.will = null));
  }

  #record(change: Change): void {
    this.sequence++;
    this.#changes.push(change);
  }

  #change(clientId: string, change: (kept: Kept) => unknown): void {
    this.#record(() => {
      const kept = this.#sessions.get(clientId);
      if (kept === undefined) throw new Error(`a record for session ${clientId}, which is not open`);
      change(kept);
    });
  }

  #changeDelivery(clientId: string, serial: number, change: Partial<StoredDeliveryState>): void {
    this.#change(clientId, (kept) => {
      const delivery = kept.deliveries.get(serial);
      if (delivery === undefined)
        throw new Error(`a record for delivery ${serial} of ${clientId}, which is not there`);
      kept.deliveries.set(serial, { ...delivery, ...change });
    });
  }
}

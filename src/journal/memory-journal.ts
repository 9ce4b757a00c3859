import type { Journal, StoredState } from '#broker';

const nothing: StoredState = { sessions: [], retained: [] };

/**
 * Keeps nothing: sessions live as long as the process. Everything counts as durable at once, so no acknowledgement
 * ever waits, and a record costs an empty call.
 */
export class MemoryJournal implements Journal {
  readonly sequence = 0;
  readonly durableSequence = 0;
  readonly state = 'ok';

  onDurable(): void {}
  onState(): void {}

  load(): StoredState {
    return nothing;
  }

  recordSessionOpened(): void {}
  recordSessionClosed(): void {}
  recordSessionEnded(): void {}
  recordSubscription(): void {}
  recordUnsubscription(): void {}
  recordDeliveryQueued(): void {}
  recordDeliverySent(): void {}
  recordDeliveryReceived(): void {}
  recordDeliveryDone(): void {}
  recordIncoming(): void {}
  recordIncomingReleased(): void {}
  recordRetained(): void {}
  recordRetainedCleared(): void {}
  recordWill(): void {}
  recordWillCleared(): void {}
}

import type { StoredDeliveryState, StoredMessage, StoredQueue, StoredSession } from '#broker';
import type { JournalIndex } from './index/journal-index.ts';
import type { SessionEntry } from './index/session-entry.ts';
import { damageError } from './journal-error.ts';
import type { BlockReader } from './log/block-reader.ts';
import { deliveryFrom, messageFrom } from './log/delivery-from.ts';

export interface LoadContext {
  readonly folder: string;
  readonly index: JournalIndex;
  readonly blocks: BlockReader;
}

/** All retained messages, read in the order in which they stand in the log. Throws `JOURNAL_UNUSABLE`. */
export function* loadRetained(context: LoadContext): Generator<StoredMessage> {
  const { messages, retained } = context.index;
  const slots = [...retained.values()]
    .map(({ slot }) => slot)
    .sort((a, b) => messages.lsnOf(a) - messages.lsnOf(b));
  for (const slot of slots) {
    const id = messages.idOf(slot);
    const message = messageFrom(context.blocks.read(messages.lsnOf(slot), messages.sizeOf(slot)), id);
    if (message === null) throw damageError(context.folder, `message ${id}`, 'is not what was written');
    yield message;
  }
}

/** What the journal keeps of one session; its queue is read when somebody asks for it. */
export function loadSession(context: LoadContext, entry: SessionEntry): StoredSession {
  return {
    clientId: entry.clientId ?? '',
    owner: entry.owner,
    expirySeconds: entry.expirySeconds,
    disconnectedAt: entry.disconnectedAt,
    subscriptions: [...entry.subscriptions.values()].map(({ value }) => value),
    deliveries: { [Symbol.iterator]: () => allDeliveries(context, entry) },
    queue: loadQueue(context, entry),
    incomingPacketIds: [...(entry.incoming?.keys() ?? [])],
    will: entry.will?.value ?? null,
  };
}

function loadQueue(context: LoadContext, entry: SessionEntry): StoredQueue {
  const { deliveries } = entry;
  const { messages: stored } = context.index;
  const inflight: StoredDeliveryState[] = [];
  const urgent: StoredDeliveryState[] = [];
  let messages = 0;
  let bytes = 0;
  for (let place = deliveries.after(-1); place !== -1; place = deliveries.next(place)) {
    if (deliveries.isOrdinaryAt(place)) {
      messages++;
      bytes += stored.weightOf(deliveries.slotAt(place));
    } else if (deliveries.packetIdAt(place) !== 0) inflight.push(deliveryAt(context, entry, place));
    else urgent.push(deliveryAt(context, entry, place));
  }
  return { inflight, urgent, messages, bytes, lastSerial: entry.lastSerial };
}

function* allDeliveries(context: LoadContext, entry: SessionEntry): Generator<StoredDeliveryState> {
  const { deliveries } = entry;
  for (let place = deliveries.after(-1); place !== -1;) {
    const state = deliveryAt(context, entry, place);
    yield state;
    place = deliveries.after(state.serial);
  }
}

function deliveryAt(context: LoadContext, entry: SessionEntry, place: number): StoredDeliveryState {
  const { blocks, index, folder } = context;
  const { deliveries } = entry;
  const { messages } = index;
  const serial = deliveries.serialAt(place);
  const slot = deliveries.slotAt(place);
  // Copied: the next read takes the same block.
  const bytes = Buffer.from(blocks.read(deliveries.lsnAt(place), deliveries.sizeAt(place)));
  const state = deliveryFrom(
    bytes,
    blocks.read(messages.lsnOf(slot), messages.sizeOf(slot)),
    entry.id,
    serial,
    messages.idOf(slot),
    deliveries.packetIdAt(place),
    deliveries.isReceivedAt(place),
  );
  if (state === null) throw damageError(folder, `delivery ${serial}`, 'is not what was written');
  return state;
}

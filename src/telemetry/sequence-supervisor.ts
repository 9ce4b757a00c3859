import type { Device, DeviceEventKind, DeviceId, DeviceMessage, Reading, SequenceCounts } from '#model';
import { SequenceWindow, type Mark } from './sequence-window.ts';
import { StampOrder } from './stamp-order.ts';

/** Stamps that are remembered of a device without sequence numbers. */
const rememberedStamps = 1024;

/** Epochs before the running one that are remembered, at 4 kB each as far as readings came in them. */
const olderEpochs = 3;

/** While a device goes on repeating, one event tells of it each this many repeats; all are counted. */
const repeatsPerEvent = 1000;

/** What supervision holds of one device: it goes into the device's record. A live view: copy to keep. */
export interface SequenceState {
  readonly epoch: number;
  /** Highest of this epoch. */
  readonly lastSequence: number | undefined;
  readonly counts: SequenceCounts;
}

/** What one message turned out to be. */
export interface Supervision {
  /** `redelivered` = the network sent it again; `repeat` = the device did, or somebody in its name. */
  readonly kind: 'new' | 'redelivered' | 'repeat';
  /** The epoch that it belongs to, which may be an older one. */
  readonly epoch: number;
  /** An event to record, if any. */
  readonly event: DeviceEventKind | undefined;
  readonly detail: string;
}

/** A row of the store, as far as supervision needs it after a restart. */
export type RecentReading = Pick<Reading, 'epoch' | 'sequence' | 'stampId' | 'receivedAt' | 'topic'>;

interface Counts {
  missing: number;
  repeated: number;
  redelivered: number;
  resets: number;
}

interface DeviceSequence {
  epoch: number;
  lastSequence: number | undefined;
  readonly counts: Counts;
  readonly order: StampOrder;
  current: SequenceWindow;
  /** The epochs before, newest first: their readings may still be on their way, or come again. */
  readonly older: SequenceWindow[];
  bootId: string | undefined;
  repeatsInRow: number;
  /** The running epoch goes on from a process before this one, which had committed all up to here; 0 = it does not. */
  knownUntil: number;
  /** For messages without a sequence number, oldest first. */
  readonly stamps: Set<string>;
}

/**
 * Tells new messages from those that came before, and notices what did not come. One state per device; a message costs
 * the same whatever the device does.
 */
export class SequenceSupervisor {
  readonly #devices = new Map<DeviceId, DeviceSequence>();
  /** Sums over all devices, since each was first seen. */
  readonly #totals: Counts = { missing: 0, repeated: 0, redelivered: 0, resets: 0 };

  get totals(): SequenceCounts {
    return this.#totals;
  }

  /** Takes up a device where the last process left it; `recent` are its last rows, in any order. */
  restore(device: Device, recent: Iterable<RecentReading>): void {
    const order = new StampOrder();
    const state = createState(device.epoch, { ...device.counts }, order);
    this.#devices.set(device.id, state);
    for (const key of countNames) this.#totals[key] += device.counts[key];
    const rows = [...recent].filter(
      (row) => row.epoch <= device.epoch && row.epoch >= device.epoch - olderEpochs,
    );
    for (const row of rows) if (row.sequence === undefined) rememberStamp(state, row.stampId);
    // A device's own numbers tell the order of its site's runs, whatever the clock did.
    for (const { stampId, topic } of rows.toSorted(byNumber)) order.note(stampId, topic);
    const [current, ...older] = restoreWindows(device, rows, order);
    if (current === undefined) return;
    state.current = current;
    state.older.push(...older);
    state.knownUntil = device.lastSeen;
    if (current.highest >= 0) state.lastSequence = current.highest;
  }

  /** `undefined` before the device's first message. */
  stateOf(deviceId: DeviceId): SequenceState | undefined {
    return this.#devices.get(deviceId);
  }

  /** A boot announcement: a new epoch, unless it is the same one again or one that came late. */
  hello(deviceId: DeviceId, message: DeviceMessage): 'new' | 'redelivered' {
    const state = this.#stateFor(deviceId);
    const isFirstOfRun = state.order.note(message.stampId, message.topic);
    if (isOldHello(state, message, isFirstOfRun)) {
      this.#count(state, 'redelivered', 1);
      return 'redelivered';
    }
    beginEpoch(state, message, true);
    return 'new';
  }

  /** One message with readings. */
  observe(deviceId: DeviceId, message: DeviceMessage): Supervision {
    const state = this.#stateFor(deviceId);
    state.order.note(message.stampId, message.topic);
    const boot = observeBoot(state, message);
    const window = windowOf(state, message);
    const { sequence } = message;
    if (sequence === undefined) return this.#observeStamp(state, message, window.epoch, boot);
    switch (window.observe(sequence, message)) {
      case 'redelivered':
        this.#count(state, 'redelivered', 1);
        return outcome('redelivered', window.epoch);
      case 'repeat':
        return this.#repeat(state, window.epoch, `sequence ${sequence} repeated`);
      case 'reset':
        return this.#reset(state, window, sequence, message);
      case 'gap':
        return this.#gap(state, window, sequence, boot);
      case 'late':
        this.#count(state, 'missing', -1);
        break;
      case 'new':
        break;
    }
    this.#accept(state);
    return boot === ''
      ? outcome('new', window.epoch)
      : { kind: 'new', epoch: window.epoch, event: 'hello', detail: boot };
  }

  #observeStamp(state: DeviceSequence, message: DeviceMessage, epoch: number, boot: string): Supervision {
    if (!rememberStamp(state, message.stampId)) {
      this.#count(state, 'redelivered', 1);
      return outcome('redelivered', epoch);
    }
    this.#accept(state);
    return boot === '' ? outcome('new', epoch) : { kind: 'new', epoch, event: 'hello', detail: boot };
  }

  #gap(state: DeviceSequence, window: SequenceWindow, sequence: number, boot: string): Supervision {
    const first = window.gapFrom;
    const last = sequence - 1;
    this.#count(state, 'missing', last - first + 1);
    this.#accept(state);
    const detail = first === last ? `sequence ${first} missing` : `sequence ${first} to ${last} missing`;
    return boot === ''
      ? { kind: 'new', epoch: window.epoch, event: 'gap', detail }
      : { kind: 'new', epoch: window.epoch, event: 'hello', detail: `${boot}, ${detail}` };
  }

  /** A device that repeats for ever costs a count each time and an event now and then. */
  #repeat(state: DeviceSequence, epoch: number, detail: string): Supervision {
    this.#count(state, 'repeated', 1);
    const isTold = state.repeatsInRow % repeatsPerEvent !== 0;
    state.repeatsInRow += 1;
    return isTold ? outcome('repeat', epoch) : { kind: 'repeat', epoch, event: 'repeat', detail };
  }

  #reset(
    state: DeviceSequence,
    window: SequenceWindow,
    sequence: number,
    message: DeviceMessage,
  ): Supervision {
    // A number that falls back within an epoch that is over: the newer epoch is the reset, and it is known already.
    if (window !== state.current) return this.#repeat(state, window.epoch, `sequence ${sequence} repeated`);
    const detail = `sequence fell from ${window.highest} to ${sequence}: the device counts anew`;
    this.#count(state, 'resets', 1);
    beginEpoch(state, message, false);
    state.current.observe(sequence, message);
    this.#accept(state);
    return { kind: 'new', epoch: state.epoch, event: 'reset', detail };
  }

  #accept(state: DeviceSequence): void {
    state.repeatsInRow = 0;
    if (state.current.highest >= 0) state.lastSequence = state.current.highest;
  }

  #count(state: DeviceSequence, name: keyof Counts, change: number): void {
    state.counts[name] += change;
    this.#totals[name] += change;
  }

  #stateFor(deviceId: DeviceId): DeviceSequence {
    let state = this.#devices.get(deviceId);
    if (state === undefined) {
      state = createState(0, { missing: 0, repeated: 0, redelivered: 0, resets: 0 }, new StampOrder());
      this.#devices.set(deviceId, state);
    }
    return state;
  }
}

const countNames = ['missing', 'repeated', 'redelivered', 'resets'] as const;

function createState(epoch: number, counts: Counts, order: StampOrder): DeviceSequence {
  return {
    epoch,
    lastSequence: undefined,
    counts,
    order,
    current: new SequenceWindow(epoch, undefined, false, order),
    older: [],
    bootId: undefined,
    repeatsInRow: 0,
    knownUntil: 0,
    stamps: new Set(),
  };
}

function outcome(kind: Supervision['kind'], epoch: number): Supervision {
  return { kind, epoch, event: undefined, detail: '' };
}

function beginEpoch(state: DeviceSequence, message: DeviceMessage, isAnnounced: boolean): void {
  const begin: Mark = { stampId: message.stampId, receivedAt: message.receivedAt };
  state.older.unshift(state.current);
  if (state.older.length > olderEpochs) state.older.pop();
  state.knownUntil = 0;
  state.epoch += 1;
  state.current = new SequenceWindow(state.epoch, begin, isAnnounced, state.order);
  state.lastSequence = undefined;
  state.repeatsInRow = 0;
}

/** The epoch in which the message was accepted, by its stamp; what is older than all that is known counts to the oldest. */
function windowOf(state: DeviceSequence, message: DeviceMessage): SequenceWindow {
  let window = state.current;
  for (const older of state.older) {
    if (!window.beganAfter(message)) return window;
    window = older;
  }
  return window;
}

/**
 * The epochs that the store still shows, newest first. Where an epoch began is known when a row of the one before is
 * there as well, or when nothing has come in it yet: then its hello was the last thing heard.
 */
function restoreWindows(device: Device, rows: readonly RecentReading[], order: StampOrder): SequenceWindow[] {
  const windows: SequenceWindow[] = [];
  for (let epoch = device.epoch; epoch >= 0 && epoch >= device.epoch - olderEpochs; epoch -= 1) {
    const own = rows.filter((row) => row.epoch === epoch);
    const hasOlder = epoch > 0 && rows.some((row) => row.epoch < epoch);
    const [first = { stampId: '', receivedAt: device.lastSeen }] = own.toSorted((a, b) =>
      order.isLater(a, b) ? 1 : -1,
    );
    const window = new SequenceWindow(epoch, hasOlder ? first : undefined, own.length === 0, order);
    if (epoch === device.epoch && device.lastSequence !== undefined) {
      window.restore(device.lastSequence, { stampId: '', receivedAt: device.lastSeen });
    }
    for (const row of own) if (row.sequence !== undefined) window.restore(row.sequence, row);
    windows.push(window);
    if (!hasOlder) break;
  }
  return windows;
}

function byNumber(a: RecentReading, b: RecentReading): number {
  return a.epoch - b.epoch || (a.sequence ?? 0) - (b.sequence ?? 0) || a.receivedAt - b.receivedAt;
}

/** The same hello again (same stamp), one that came late, or one that a process before this has committed. */
function isOldHello(state: DeviceSequence, message: DeviceMessage, isFirstOfRun: boolean): boolean {
  const { begin } = state.current;
  if (isFirstOfRun) return false;
  if (message.receivedAt <= state.knownUntil) return true;
  if (begin === undefined) return false;
  if (message.stampId !== '') return begin.stampId === message.stampId || state.current.beganAfter(message);
  // Without a stamp a second hello can only be told from the first by what came in between.
  return state.current.highest < 0;
}

/** The event's text when a boot id shows a new boot; empty otherwise. After a restart the first one is taken as known. */
function observeBoot(state: DeviceSequence, message: DeviceMessage): string {
  const { bootId } = message;
  if (bootId === undefined || bootId === state.bootId) return '';
  const before = state.bootId;
  if (before !== undefined && state.current.beganAfter(message)) return '';
  state.bootId = bootId;
  if (before === undefined) return '';
  beginEpoch(state, message, true);
  return `boot ${before} was followed by ${bootId}`;
}

/** False when the stamp is known. Without a stamp nothing can be known, and all is new. */
function rememberStamp(state: DeviceSequence, stampId: string): boolean {
  if (stampId === '') return true;
  if (state.stamps.has(stampId)) return false;
  state.stamps.add(stampId);
  if (state.stamps.size > rememberedStamps) {
    for (const oldest of state.stamps) {
      state.stamps.delete(oldest);
      break;
    }
  }
  return true;
}

import type { LiveEvent } from '../../../src/api/types.ts';
import type { ScreenStore } from './store.ts';
import type { ScreenClock } from './types.ts';

/** What the feed needs of the browser's `EventSource`. */
export interface FeedSource {
  addEventListener(name: string, listener: (event: MessageEvent<string>) => void): void;
  onerror: ((event: Event) => unknown) | null;
  /** 2 = the browser has given up and will not connect again by itself. */
  readonly readyState: number;
  close(): void;
}

export interface LiveFeedOptions {
  readonly store: ScreenStore;
  readonly clock: ScreenClock;
  /** Opens a connection to `/api/v1/live`. */
  readonly open: () => FeedSource;
}

const eventNames = ['devices', 'readings', 'alarms', 'command', 'status', 'rooms'] as const;
const checkEveryMs = 500;
/** The server sends its status every 2 s: two that are missing mean that nothing comes any more. */
const silenceMs = 4200;
/** A connection that broke may come back at once; only then it is not worth a word. */
const errorGraceMs = 1500;
/** A connection that says nothing for so long is replaced, whatever the browser thinks of it. */
const replaceAfterMs = 10_000;
const closedState = 2;

/**
 * Keeps the feed alive and the screen honest: when the server is not heard any more, the store is `stale` within five
 * seconds, and stays so until a whole fresh snapshot has come.
 */
export class LiveFeed {
  readonly #options: LiveFeedOptions;
  readonly #seen = new Set<LiveEvent['kind']>();
  #source: FeedSource | null = null;
  #openedAt = 0;
  #heardAt: number;
  #brokenAt: number | null = null;
  #stopTimer: (() => void) | null = null;

  constructor(options: LiveFeedOptions) {
    this.#options = options;
    this.#heardAt = options.clock.now();
  }

  /** Connects, and keeps connecting until `stop`. */
  start(): void {
    this.#connect();
    this.#stopTimer = this.#options.clock.every(checkEveryMs, () => this.#check());
  }

  stop(): void {
    this.#stopTimer?.();
    this.#stopTimer = null;
    this.#source?.close();
    this.#source = null;
  }

  #connect(): void {
    const { clock, open } = this.#options;
    this.#source?.close();
    this.#openedAt = clock.now();
    this.#seen.clear();
    const source = open();
    this.#source = source;
    source.onerror = () => this.#onBroken(source);
    source.addEventListener('open', () => this.#onOpen(source));
    for (const name of eventNames) {
      source.addEventListener(name, (message) => {
        if (source === this.#source) this.#onMessage(message.data);
      });
    }
  }

  /** Also when the browser itself has connected again: what comes now begins with a snapshot. */
  #onOpen(source: FeedSource): void {
    if (source === this.#source) this.#seen.clear();
  }

  #onBroken(source: FeedSource): void {
    if (source !== this.#source) return;
    this.#brokenAt ??= this.#options.clock.now();
    this.#seen.clear();
  }

  #onMessage(data: string): void {
    const { store, clock } = this.#options;
    const event = parseEvent(data);
    if (event === undefined) {
      store.unreadable.value += 1;
      return;
    }
    this.#heardAt = clock.now();
    const snapshot = !this.#seen.has(event.kind);
    this.#seen.add(event.kind);
    if (event.kind === 'status') store.localNow.value = this.#heardAt;
    store.apply(event, snapshot);
    if (!this.#seen.has('devices')) return;
    this.#brokenAt = null;
    if (store.feed.peek().kind !== 'live') store.feed.value = { kind: 'live' };
  }

  #check(): void {
    const { store, clock } = this.#options;
    const now = clock.now();
    const isSilent = now - this.#heardAt >= silenceMs;
    const isBroken = this.#brokenAt !== null && now - this.#brokenAt >= errorGraceMs;
    if ((isSilent || isBroken) && store.feed.peek().kind !== 'stale') {
      store.feed.value = { kind: 'stale', since: this.#heardAt };
    }
    const hasGivenUp = this.#source?.readyState === closedState && now - this.#openedAt >= errorGraceMs;
    const isDead = now - Math.max(this.#heardAt, this.#openedAt) >= replaceAfterMs;
    if (hasGivenUp || isDead) this.#connect();
  }
}

function parseEvent(data: string): LiveEvent | undefined {
  try {
    const event = JSON.parse(data) as LiveEvent;
    return eventNames.includes(event.kind) ? event : undefined;
  } catch {
    return undefined;
  }
}

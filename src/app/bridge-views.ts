import type { BridgesView, BridgeView } from '#api';

const ownPrefix = '$SYS/broker/davylamp/bridges/';
const stateTopic = /^\$SYS\/broker\/connection\/([^/]+)\/state$/;
/** Bridges of other brokers name themselves: bounded, as whoever may publish there can name many. */
const maximumLinks = 10_000;

/** A lazy bridge that has nothing to do is well. */
const wellStates: ReadonlySet<string> = new Set(['connected', 'idle']);

/** What a bridge's broker must be subscribed to for this. */
export const bridgeViewFilters: readonly string[] = [`${ownPrefix}#`, '$SYS/broker/connection/+/state'];

/** Bridges as our broker tells of them under `$SYS`; another make of broker tells only of those that notify. */
export class BridgeViews {
  readonly #values = new Map<string, Map<string, string>>();
  readonly #links = new Map<string, boolean>();

  /** True: the message was one of these. An empty payload: what it told of is gone. */
  onMessage(topic: string, payload: Buffer): boolean {
    if (!topic.startsWith('$SYS/')) return false;
    const text = payload.toString();
    if (topic.startsWith(ownPrefix)) this.#onValue(topic.slice(ownPrefix.length), text);
    else {
      const clientId = stateTopic.exec(topic)?.[1];
      if (clientId === undefined) return true;
      if (text === '') this.#links.delete(clientId);
      else if (this.#links.has(clientId) || this.#links.size < maximumLinks)
        this.#links.set(clientId, text === '1');
    }
    return true;
  }

  view(): BridgesView {
    const byName = ([one]: readonly [string, unknown], [other]: readonly [string, unknown]): number =>
      one < other ? -1 : 1;
    return {
      bridges: [...this.#values].toSorted(byName).map(([name, values]) => viewOf(name, values)),
      links: [...this.#links]
        .toSorted(byName)
        .map(([clientId, isConnected]) => ({ clientId, connected: isConnected })),
    };
  }

  /** Names of those that should be connected and are not. */
  down(): readonly string[] {
    const own = [...this.#values].filter(([, values]) => !wellStates.has(values.get('state') ?? ''));
    const links = [...this.#links].filter(([, isConnected]) => !isConnected);
    return [...new Set([...own, ...links].map(([name]) => name))].toSorted();
  }

  #onValue(rest: string, text: string): void {
    const at = rest.indexOf('/');
    const name = rest.slice(0, at);
    const key = rest.slice(at + 1);
    let values = this.#values.get(name);
    // `last_error` may be empty; nothing else is, but when it is taken away.
    if (text === '' && key !== 'last_error') {
      values?.delete(key);
      if (key === 'state') this.#values.delete(name);
      return;
    }
    if (values === undefined) {
      values = new Map();
      this.#values.set(name, values);
    }
    values.set(key, text);
  }
}

function viewOf(name: string, values: ReadonlyMap<string, string>): BridgeView {
  const text = (key: string): string => values.get(key) ?? '';
  const number = (key: string): number => Number(values.get(key) ?? 0);
  return {
    name,
    state: text('state'),
    since: Date.parse(text('since')) || 0,
    address: text('address'),
    lastError: text('last_error') === '' ? null : text('last_error'),
    connects: number('connects'),
    sent: number('sent'),
    sentPerSecond: number('sent/rate'),
    received: number('received'),
    receivedPerSecond: number('received/rate'),
    queuedMessages: number('queue/messages'),
    queuedBytes: number('queue/bytes'),
    inFlight: number('queue/in_flight'),
    lagSeconds: number('queue/oldest_seconds'),
    loops: number('loops'),
    crossed: number('crossed'),
    refused: number('refused'),
    rejected: number('rejected'),
    noRoom: number('no_room'),
    tooLarge: number('too_large'),
    unmapped: number('unmapped'),
  };
}

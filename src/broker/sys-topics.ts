import type { Timer } from '#base';
import { utf8Length } from '#mqtt';
import type { BrokerCore } from './core.ts';
import { Message } from './message.ts';
import type { StateSource } from './ports.ts';
import { boundNames, dropPolicies, type Statistics } from './statistics.ts';

/** Rates that are averaged: name under `load/`, and the counter whose growth it is. */
const loads: readonly (readonly [string, (statistics: Statistics) => number])[] = [
  ['messages/received', (s) => s.packetsReceived],
  ['messages/sent', (s) => s.packetsSent],
  ['publish/received', (s) => s.publishReceived],
  ['publish/sent', (s) => s.publishSent],
  ['publish/dropped', (s) => s.messagesDropped],
  ['bytes/received', (s) => s.bytesReceived],
  ['bytes/sent', (s) => s.bytesSent],
  ['sockets', (s) => s.connectionsAccepted],
  ['connections', (s) => s.connectsReceived],
];

const windows = [
  ['1min', 60_000],
  ['5min', 300_000],
  ['15min', 900_000],
] as const;

/** Of all listeners together. */
const doorCounters = [
  'accepted',
  'refused',
  'handshakesRefused',
  'handshakeFailures',
  'proxyFailures',
] as const;

/** An exponentially weighted rate per minute, for each window. */
interface Load {
  last: number;
  readonly rates: number[];
}

/**
 * The broker about itself: retained messages under `$SYS/broker`, named as Mosquitto 2.1 names them and with its
 * meanings; what only this broker has stands under `$SYS/broker/davylamp`. Loads are averages per minute over 1, 5 and 15
 * minutes, each new one `growth + e^(-seconds/window) * (last - growth)`.
 */
export class SysTopics {
  readonly #core: BrokerCore;
  readonly #startedAt: number;
  readonly #loads: readonly Load[] = loads.map(() => ({ last: 0, rates: windows.map(() => 0) }));
  /** What was last published, so that only changes are. */
  readonly #published = new Map<string, string>();
  /** Monotonic time of the last round. */
  #lastAt: number;
  #heapMaximum = 0;
  #timer: Timer | null = null;

  constructor(core: BrokerCore) {
    this.#core = core;
    this.#startedAt = core.clock.monotonic();
    this.#lastAt = this.#startedAt;
  }

  /** Nothing is said at all where the interval is 0. */
  start(): void {
    const { clock, sysIntervalSeconds } = this.#core;
    if (sysIntervalSeconds === 0) return;
    this.publish();
    this.#timer = clock.every(sysIntervalSeconds * 1000, () => this.publish());
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  /** Publishes whatever has changed. */
  publish(): void {
    const { statistics: s, sessions, version, clock } = this.#core;
    const uptime = Math.floor((clock.monotonic() - this.#startedAt) / 1000);
    this.#say('version', `davylamp version ${version}`);
    this.#say('uptime', `${uptime} seconds`);
    this.#say('clients/connected', s.clientsConnected);
    this.#say('clients/active', s.clientsConnected);
    this.#say('clients/disconnected', sessions.offline.size);
    this.#say('clients/inactive', sessions.offline.size);
    this.#say('clients/total', sessions.size);
    this.#say('clients/maximum', s.clientsMaximum);
    this.#say('clients/expired', s.sessionsExpired);
    this.#say('messages/received', s.packetsReceived);
    this.#say('messages/sent', s.packetsSent);
    this.#say('messages/stored', s.queuedMessages + s.retainedMessages);
    this.#say('store/messages/count', s.queuedMessages + s.retainedMessages);
    this.#say('store/messages/bytes', s.queuedBytes + s.retainedBytes);
    this.#say('publish/messages/received', s.publishReceived);
    this.#say('publish/messages/sent', s.publishSent);
    this.#say('publish/messages/dropped', s.messagesDropped);
    this.#say('publish/bytes/received', s.publishBytesReceived);
    this.#say('publish/bytes/sent', s.publishBytesSent);
    this.#say('bytes/received', s.bytesReceived);
    this.#say('bytes/sent', s.bytesSent);
    this.#say('subscriptions/count', s.subscriptions);
    this.#say('shared_subscriptions/count', s.sharedSubscriptions);
    this.#say('retained messages/count', s.retainedMessages);
    this.#say('connections/socket/count', s.connectionsAccepted);
    this.#sayMemory();
    for (const policy of dropPolicies) this.#say(`davylamp/dropped/${policy}`, s.dropped[policy]);
    this.#say('davylamp/client_id_fights', s.clientIdFights);
    this.#say('davylamp/takeovers', s.takeovers);
    this.#say('davylamp/protocol_errors', s.protocolErrors);
    this.#say('davylamp/slow_clients_closed', s.slowClientsClosed);
    this.#say('davylamp/publishers_held', s.publishersHeld);
    this.#sayBounds();
    this.#sayLoads();
    for (const source of this.#core.sources)
      for (const [name, value] of source()) this.#say(`davylamp/${name}`, value);
  }

  /** What a part that is gone had told is told no more. */
  clear(source: StateSource): void {
    for (const [name] of source()) {
      const topic = `$SYS/broker/davylamp/${name}`;
      if (this.#published.delete(`davylamp/${name}`)) this.#core.retained.clearOwn(topic);
    }
  }

  #sayMemory(): void {
    const { connections, memory } = this.#core;
    let packets = 0;
    let bytes = 0;
    for (const { outbox } of connections) {
      packets += outbox.waitingFrames;
      bytes += outbox.waiting;
    }
    this.#say('packet/out/count', packets);
    this.#say('packet/out/bytes', bytes);
    const heap = memory.measure();
    this.#heapMaximum = Math.max(this.#heapMaximum, heap);
    this.#say('heap/current', heap);
    this.#say('heap/maximum', this.#heapMaximum);
  }

  #sayBounds(): void {
    const { statistics: s, connections, memory, doors } = this.#core;
    for (const bound of boundNames) this.#say(`davylamp/bounds/${bound}`, s.reached[bound]);
    this.#say('davylamp/clients_banned', s.clientsBanned);
    this.#say('davylamp/connections/count', connections.size);
    this.#say('davylamp/connections/refused', s.connectionsRefused);
    this.#say('davylamp/memory/bytes', memory.usedBytes);
    for (const name of doorCounters) {
      const sum = doors.reduce((total, door) => total + door[name], 0);
      this.#say(`davylamp/listeners/${name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`, sum);
    }
  }

  #sayLoads(): void {
    const { statistics, clock } = this.#core;
    const elapsed = clock.monotonic() - this.#lastAt;
    this.#lastAt += elapsed;
    for (const [index, [name, count]] of loads.entries()) {
      const load = this.#loads[index]!;
      const now = count(statistics);
      const perMinute = elapsed === 0 ? 0 : ((now - load.last) * 60_000) / elapsed;
      load.last = now;
      for (const [at, [window, milliseconds]] of windows.entries()) {
        const weight = Math.exp(-elapsed / milliseconds);
        load.rates[at] = perMinute + weight * (load.rates[at]! - perMinute);
        this.#say(`load/${name}/${window}`, load.rates[at].toFixed(2));
      }
    }
  }

  #say(name: string, value: string | number): void {
    const text = String(value);
    if (this.#published.get(name) === text) return;
    this.#published.set(name, text);
    const topic = `$SYS/broker/${name}`;
    const message = new Message(topic, utf8Length(topic), Buffer.from(text), 0, true, null, '', 0);
    this.#core.retained.storeOwn(message);
    this.#core.publish(message);
  }
}

import { FakeClock, LineLogger, type LogLevel } from '#base';
import {
  Broker,
  noEvents,
  type BrokerEvents,
  type HookMessage,
  type Journal,
  type JournalState,
} from '#broker';
import type { LimitsConfig } from '#config';
import { MemoryJournal } from '#journal';
import { encodePacket, PacketType, ReasonCode, type Packet } from '#mqtt';
import { connectPacket, publishPacket, wideLimits } from '../helpers/broker-harness.ts';
import { SlowJournal } from '../helpers/slow-journal.ts';
import { FuzzFault } from './fuzz-fault.ts';
import { FuzzPeer } from './fuzz-peer.ts';
import { profiles, type ProfileName } from './fuzz-rules.ts';
import { PromiseWatch } from './promise-watch.ts';
import { Random } from './random.ts';
import { WatchBook } from './watch-book.ts';
import {
  addHooks,
  changeSome,
  curiousEvents,
  FuzzMemory,
  limitsOf,
  longestSession,
  mostConnections,
  redirectSome,
  type ManageTask,
} from './world-rules.ts';

/** Clients of a world that do everything right. */
export const observers = 3;
/** Turns of the event loop that one operation may cost: the work of a hang, not of a slow machine. */
const maximumTurns = 2000;
/** Longer than back-pressure holds a publisher for a client that acknowledges nothing. */
const patienceMs = 13_000;
const sweepMs = 1000;
const observerTopic = 'observer/topic';
const watcherId = 'the watcher';

/** A promise where something goes on in promises. */
export type Settling = Promise<void> | null;

/** Indexes of the connections of a crowd. */
const firstOfCrowd = 100;
/** From here on, or above, the broker may turn connections away. */
const relaxedPercent = 80;

/** A broker with its observers; a seed decides its bounds, its journal and what is watched. */
export class FuzzWorld {
  readonly clock = new FakeClock();
  readonly broker: Broker;
  readonly seed: number;
  /** Turns that were run. */
  turns = 0;
  readonly #journal: Journal;
  readonly #slow: SlowJournal | null;
  #tasks: (() => void)[] = [];
  #peers = new Map<number, FuzzPeer>();
  readonly #sender: FuzzPeer;
  readonly #receiver: FuzzPeer;
  readonly #watcher: FuzzPeer;
  readonly #good: readonly FuzzPeer[];
  readonly #baseSessions: number;
  readonly #baseSubscriptions: number;
  readonly #baseRetained: number;
  readonly #retainedTopics = new Set<string>();
  readonly #book: WatchBook;
  #heard = '';
  #serial = 0;
  #bug: string | null = null;
  readonly #promises = new PromiseWatch();
  readonly #logLevel: LogLevel;
  readonly #sysIntervalSeconds: number;
  readonly #memory = new FuzzMemory();
  readonly #events: BrokerEvents;
  /** Addresses of the clients. */
  readonly #isV6: boolean;
  /** Their transports take several pieces at once. */
  readonly #writesAll: boolean;
  /** There is a bound of the memory. */
  readonly #isBounded: boolean;
  /** The broker may think that its memory is nearly full. */
  #isTight = false;

  constructor(seed: number) {
    this.seed = seed;
    const random = new Random(seed);
    const limits = limitsOf(random);
    // Both cost more than most of what a case does, and only some of it is a peer's.
    this.#logLevel = random.oneIn(8) ? 'debug' : 'error';
    this.#sysIntervalSeconds = random.pick([0, 0, 10, 60, 60, 60]);
    this.#events = random.oneIn(6) ? curiousEvents : noEvents;
    this.#isV6 = random.oneIn(8);
    this.#writesAll = random.oneIn(2);
    this.#isBounded = limits.maximumMemory !== 0;
    this.#slow = random.oneIn(3) ? new SlowJournal() : null;
    this.#journal = this.#slow ?? new MemoryJournal();
    this.broker = this.#newBroker(this.#journal, limits, this.clock, (task) => this.#tasks.push(task));
    if (random.oneIn(4)) this.broker.hooks.transform = changeSome;
    if (random.oneIn(6)) addHooks(this.broker.hooks);
    this.broker.hooks.published = (message) => this.#onPublished(message);
    this.broker.hooks.onDropped.push((_policy, clientId) => {
      if (clientId === watcherId) this.#book.dropped++;
    });
    this.broker.start();
    this.#book = new WatchBook(random, limits.overlappingCopies === 'each');
    this.#baseRetained = this.broker.statistics.retainedMessages;
    // Its receive window is looked at only with MQTT 5; but there the broker may ask for a sign of life.
    const isLeftAlone = limits.maximumKeepAliveSeconds === 0;
    this.#sender = this.#observer('the sender', [], isLeftAlone ? 5 : 4);
    this.#receiver = this.#observer('the receiver', [[observerTopic, 1]]);
    this.#receiver.onPublish = ({ payload }) => (this.#heard = payload.toString());
    this.#watcher = this.#observer(watcherId, this.#book.filters);
    this.#watcher.onPublish = (packet) => this.#book.onReceived(packet);
    this.#good = [this.#sender, this.#receiver, this.#watcher];
    this.#baseSessions = this.broker.statistics.sessions;
    this.#baseSubscriptions = this.broker.statistics.subscriptions;
  }

  peer(index: number): FuzzPeer | undefined {
    return this.#peers.get(index);
  }

  open(index: number, profile: ProfileName): void {
    this.#peers.get(index)?.breakOff();
    const network = this.#isV6 ? `2001:db8:0:${index.toString(16)}::1%eth0` : `192.0.2.${index & 0xff}`;
    const peer = new FuzzPeer(profile === 'inside' ? 'local' : network, this.#writesAll);
    this.#peers.set(index, peer);
    const mustRefuse = profile !== 'inside' && this.#outside() > mostConnections;
    this.broker.accept(peer.transport, profiles[profile]);
    if (mustRefuse !== peer.isClosed && !this.#isTight)
      throw new FuzzFault(
        peer.isClosed
          ? 'a connection is refused: others that ended are still counted'
          : `a connection is taken beyond ${mostConnections}`,
      );
  }

  /** Connections that count, the newest among them. */
  #outside(): number {
    let count = this.#isBounded ? 0 : observers;
    for (const { isClosed, transport } of this.#peers.values())
      if (!isClosed && transport.peer.address !== 'local') count++;
    return count;
  }

  /** Clients come and say nothing, more of them than there is room for. */
  crowd(count: number): void {
    for (let index = firstOfCrowd; index < firstOfCrowd + count; index++) this.open(index, 'open');
  }

  /** The memory is as full as this, in percent of its bound, where it has one. */
  fillMemory(percent: number): void {
    if (!this.#isBounded) return;
    this.#memory.percent = percent;
    if (percent > relaxedPercent) this.#isTight = true;
  }

  /** What the program around the broker does with clients. */
  manage(task: ManageTask): void {
    const { broker } = this;
    for (const clientId of ['a', 'b', '__proto__', watcherId]) {
      if (task === 'look') broker.subscriptionsOf(clientId).join(String(broker.queueOf(clientId)?.messages));
      else if (task === 'kick' && clientId !== watcherId)
        broker.disconnect(clientId, ReasonCode.AdministrativeAction, 'asked to');
    }
    if (task === 'review') broker.reviewClients();
    if (task === 'close') broker.disconnectListener('narrow', ReasonCode.ServerShuttingDown, 'asked to');
  }

  /** Time passes; the event loop turns between two sweeps of the broker. */
  advance(milliseconds: number): void {
    for (let rest = milliseconds; rest > 0; rest -= sweepMs) {
      this.#runTurns();
      this.clock.advance(Math.min(rest, sweepMs));
    }
  }

  /** The disk takes some of what was recorded, where the journal of this world is slow. */
  commit(count: number): void {
    this.#slow?.commit(count);
  }

  /** The disk has no room any more, or fails, or is well again, where the journal of this world is slow. */
  changeDisk(state: JournalState): void {
    if (this.#slow !== null && this.#slow.state !== state) this.#slow.changeState(state);
  }

  /** Runs turns until nothing is left to do, then looks at everything that can be wrong by now. */
  settle(): Settling {
    this.#rest();
    if (this.#promises.hasSeen) return this.#settleLater();
    this.#check();
    return null;
  }

  /** As `settle`, whatever promises there are; what waits for the microtask queue in another way goes on here too. */
  async #settleLater(): Promise<void> {
    for (let idle = 0, round = 0; idle < 4; round++) {
      if (round > maximumTurns) throw new FuzzFault('the broker never comes to rest');
      idle = this.#rest() ? 0 : idle + 1;
      // What signs in later goes on in promises.
      await Promise.resolve();
    }
    this.#check();
  }

  /** Takes the steps in their order, and waits only where there is something to wait for. */
  async take(steps: Iterable<Settling>): Promise<void> {
    for (const settling of steps) {
      if (settling === null) continue;
      await settling;
      this.#promises.forget();
    }
  }

  [Symbol.dispose](): void {
    this.#promises.stop();
  }

  /** Runs turns until nothing is left to do. True = something was. */
  #rest(): boolean {
    for (let round = 0; ; round++) {
      if (round > maximumTurns) throw new FuzzFault('the broker never comes to rest');
      const hadTasks = this.#tasks.length > 0;
      this.#runTurns();
      if (!this.#answerAll() && !hadTasks) return round > 0;
    }
  }

  /** A message between two clients that do everything right gets there, whatever the others do. */
  *checkService(): Generator<Settling, void> {
    this.changeDisk('ok');
    if (this.#isTight) {
      this.fillMemory(10);
      this.advance(sweepMs);
      this.#isTight = false;
    }
    yield this.#settleLater();
    const text = `${this.#serial++}`;
    const qos = (this.#serial & 1) === 0 ? 1 : 2;
    this.#tell(this.#sender, publishPacket(observerTopic, text, { qos, packetId: 1 }));
    yield this.settle();
    for (let waited = 0; this.#heard !== text && waited < patienceMs; waited += 1000) {
      this.advance(1000);
      this.#slow?.commit();
      yield this.settle();
    }
    if (this.#heard !== text) throw new FuzzFault('a message between two good clients does not arrive');
  }

  /** Every connection ends; after the longest session all must be as before. */
  *end(): Generator<Settling, void> {
    yield* this.#endAll();
    const { statistics } = this.broker;
    const counted = {
      sessions: statistics.sessions - this.#baseSessions,
      subscriptions: statistics.subscriptions - this.#baseSubscriptions,
      sharedSubscriptions: statistics.sharedSubscriptions,
      clientsConnected: statistics.clientsConnected - observers,
      queuedMessages: statistics.queuedMessages,
      queuedBytes: statistics.queuedBytes,
      retained: statistics.retainedMessages - this.#baseRetained,
    };
    for (const [name, count] of Object.entries(counted))
      if (count !== 0) throw new FuzzFault(`${name}: ${count} are left when every client is gone`);
    if (this.#slow !== null && [...this.#slow.load().sessions].length > 0)
      throw new FuzzFault('the journal keeps a session when every client is gone');
    this.#book.compare();
  }

  *#endAll(): Generator<Settling, void> {
    if (this.#slow !== null && (this.seed & 1) === 0) this.#restartElsewhere();
    for (const peer of this.#peers.values()) peer.breakOff();
    this.#peers.clear();
    yield this.settle();
    this.advance((longestSession + 2) * 1000);
    this.#slow?.commit();
    yield this.settle();
    for (const topic of this.#retainedTopics)
      this.broker.publish({ topic, payload: Buffer.alloc(0), qos: 0, retain: true });
    this.#retainedTopics.clear();
    this.#slow?.commit();
    yield this.settle();
  }

  /** Another broker begins with what would be left after a crash now; everything in it must come to its end. */
  #restartElsewhere(): void {
    if (this.#slow === null) return;
    const clock = new FakeClock(this.clock.now());
    const tasks: (() => void)[] = [];
    const journal = this.#slow.crash();
    const broker = this.#newBroker(journal, wideLimits, clock, (task) => tasks.push(task));
    broker.start();
    clock.advance((longestSession + 2) * 1000);
    for (const task of tasks.splice(0)) task();
    journal.commit();
    const { sessions, subscriptions, queuedMessages, queuedBytes } = broker.statistics;
    if (sessions + subscriptions + queuedMessages + queuedBytes !== 0) {
      const left = JSON.stringify({ sessions, subscriptions, queuedMessages, queuedBytes });
      throw new FuzzFault(`after a restart these are left when every session is over: ${left}`);
    }
  }

  #newBroker(
    journal: Journal,
    limits: LimitsConfig,
    clock: FakeClock,
    schedule: (task: () => void) => void,
  ): Broker {
    const write = (line: string): void => {
      if (/^\S+ error[ :]/.test(line) && !line.includes('asked to')) this.#bug ??= line;
    };
    const log = new LineLogger({ clock, level: this.#logLevel, write });
    const redirect = redirectSome;
    const memory = this.#memory;
    const events = this.#events;
    const sysIntervalSeconds = clock === this.clock ? this.#sysIntervalSeconds : 0;
    const says = { name: 'fuzzed', version: '0', sysIntervalSeconds };
    return new Broker({ clock, log, limits, journal, schedule, redirect, memory, events, ...says });
  }

  #observer(clientId: string, wanted: WatchBook['filters'], version: 4 | 5 = 4): FuzzPeer {
    // Where the memory has a bound it is less than one message: only what is local is never ended for what it is sent.
    const address = this.#isBounded ? 'local' : `198.51.100.${this.#serial++}`;
    const peer = new FuzzPeer(address, this.#writesAll);
    this.broker.accept(peer.transport, profiles.open);
    peer.version = version;
    this.#tell(peer, connectPacket(clientId, version));
    this.#runTurns();
    if (wanted.length > 0) {
      const flags = { noLocal: false, retainAsPublished: false, retainHandling: 2 } as const;
      const subscriptions = wanted.map(([filter, qos]) => ({ filter, qos, ...flags }));
      this.#tell(peer, { type: PacketType.Subscribe, packetId: 1, subscriptions, properties: {} });
      this.#runTurns();
    }
    if (!peer.isConnected) throw new FuzzFault(`${clientId} is refused`);
    return peer;
  }

  #tell(peer: FuzzPeer, packet: Packet): void {
    peer.send(encodePacket(packet, peer.version));
  }

  #runTurns(): void {
    for (let turn = 0; this.#tasks.length > 0; turn++) {
      if (turn > maximumTurns) throw new FuzzFault(`more than ${maximumTurns} turns for one operation`);
      const tasks = this.#tasks;
      this.#tasks = [];
      for (const task of tasks) task();
      this.turns++;
    }
  }

  /** The good clients acknowledge whatever has come. True = something had. */
  #answerAll(): boolean {
    let hasAnswered = false;
    for (const peer of this.#good) {
      if (peer.unanswered.length === 0) continue;
      for (const [type, packetId] of peer.unanswered.splice(0)) {
        this.#tell(peer, { type, packetId, reasonCode: 0, properties: {} } as Packet);
        hasAnswered = true;
      }
    }
    return hasAnswered;
  }

  #check(): void {
    if (this.#bug !== null) throw new FuzzFault(this.#bug);
    for (const [index, peer] of this.#peers) {
      if (peer.isClosed) peer.checkEnd();
      if (peer.fault !== null) throw new FuzzFault(`connection ${index}: ${peer.fault}`);
      if (!peer.isClosed) continue;
      this.#peers.delete(index);
    }
    for (const peer of this.#good) {
      if (peer.fault !== null) throw new FuzzFault(`a good client: ${peer.fault}`);
      if (peer.isClosed) throw new FuzzFault('a good client is disconnected');
    }
  }

  #onPublished(message: HookMessage): void {
    const { topic, payload, retain } = message;
    if (retain && payload.length > 0) this.#retainedTopics.add(topic);
    this.#book.onPublished(message);
  }
}

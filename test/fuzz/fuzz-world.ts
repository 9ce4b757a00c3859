import { FakeClock, LineLogger } from '#base';
import {
  Broker,
  type HookMessage,
  type Identity,
  type Journal,
  type Redirect,
  type Transformed,
} from '#broker';
import type { LimitsConfig } from '#config';
import { MemoryJournal } from '#journal';
import { encodePacket, PacketType, ReasonCode, type Packet } from '#mqtt';
import { naiveMatches } from '../../src/topics/naive-oracle.ts';
import { publishPacket, wideLimits } from '../helpers/broker-harness.ts';
import { SlowJournal } from '../helpers/slow-journal.ts';
import { FuzzPeer } from './fuzz-peer.ts';
import { profiles, type ProfileName } from './fuzz-rules.ts';
import { Random } from './random.ts';

/** Seconds; every session of a fuzzer's client is over after it. */
const longestSession = 5;
/** Turns of the event loop that one operation may cost: the work of a hang, not of a slow machine. */
const maximumTurns = 2000;
/** Longer than back-pressure holds a publisher for a client that acknowledges nothing. */
const patienceMs = 13_000;
const sweepMs = 1000;
const observerTopic = 'observer/topic';
/** Its keep-alive is not the broker's to choose: a good client may be silent while the clock jumps. */
const observerVersion = 4;

/** What the broker got wrong. */
export class FuzzFault extends Error {}

interface Watched {
  readonly topic: string;
  readonly text: string;
  readonly qos: number;
}

/** The bounds of one world: small, so that they are reached. */
function limitsOf(random: Random): LimitsConfig {
  return {
    ...wideLimits,
    maximumPacketSize: random.pick([8192, 200_000]),
    maximumPacketSizeBeforeConnect: random.pick([2048, 100_000]),
    connectTimeoutMs: 2000,
    maximumConnections: 40,
    receiveMaximum: random.pick([2, 5, 100]),
    receiveMaximumStrict: random.oneIn(2),
    maximumInflight: random.pick([1, 3, 20]),
    maximumQueuedMessages: random.pick([4, 20, 200]),
    maximumQueuedBytes: random.pick([2000, 100_000]),
    maximumSubscriptionsPerClient: random.pick([3, 20]),
    maximumTopicLevels: random.pick([3, 128]),
    maximumRetainedMessages: 500,
    maximumRetainedBytes: random.pick([1000, 1_000_000]),
    topicAliasMaximum: 3,
    maximumKeepAliveSeconds: random.pick([0, 2]),
    maximumSessionExpirySeconds: longestSession,
    maximumPendingBytes: random.pick([100, 500, 20_000]),
    maximumUserProperties: 6,
    overlappingCopies: random.oneIn(3) ? 'each' : 'one',
    checkPayloadFormat: random.oneIn(2),
    responsePrefix: random.oneIn(2) ? 'answers' : null,
    // Each connection of the fuzzer has an address of its own, and none is open twice.
    maximumConnectionsPerAddress: random.pick([0, 1]),
    maximumConnectionsPerUser: random.pick([0, 0, 2]),
    maximumSessions: random.pick([0, 0, 0, 4]),
    maximumMessageRate: random.pick([0, 0, 0, 0, 5, 50]),
    maximumByteRate: random.pick([0, 0, 0, 0, 500, 20_000]),
    flappingConnects: random.pick([0, 0, 0, 3]),
    flappingWindowMs: 5000,
    flappingBanMs: 3000,
  };
}

/** What a program around the broker might do to messages. */
function changeSome({ topic }: HookMessage): Transformed {
  if (topic === 'b') return { drop: 'asked to', reasonCode: ReasonCode.QuotaExceeded };
  if (topic === 'a/c') return { drop: 'asked to' };
  return topic === 'b/b' ? { payload: Buffer.from('changed'), retain: true } : undefined;
}

function redirectSome({ clientId }: Identity): Redirect | null {
  return clientId === 'd' ? { serverReference: 'elsewhere', isPermanent: false } : null;
}

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
  readonly #watchedFilters: readonly (readonly [filter: string, qos: 0 | 1 | 2])[];
  readonly #baseSessions: number;
  readonly #baseSubscriptions: number;
  readonly #baseRetained: number;
  readonly #retainedTopics = new Set<string>();
  #expected: Watched[] = [];
  #watched: Watched[] = [];
  #watcherDrops = 0;
  #heard = '';
  #serial = 0;
  #bug: string | null = null;
  readonly #copiesEach: boolean;

  constructor(seed: number) {
    this.seed = seed;
    const random = new Random(seed);
    const limits = limitsOf(random);
    this.#copiesEach = limits.overlappingCopies === 'each';
    this.#slow = random.oneIn(3) ? new SlowJournal() : null;
    this.#journal = this.#slow ?? new MemoryJournal();
    this.broker = this.#newBroker(this.#journal, limits, this.clock, (task) => this.#tasks.push(task));
    if (random.oneIn(4)) this.broker.hooks.transform = changeSome;
    this.broker.hooks.published = (message) => this.#onPublished(message);
    this.broker.hooks.onDropped.push((_policy, clientId) => {
      if (clientId === 'the watcher') this.#watcherDrops++;
    });
    this.broker.start();
    this.#baseRetained = this.broker.statistics.retainedMessages;
    this.#watchedFilters = random.pick([
      [['#', 2]],
      [['a/#', 1]],
      [
        ['+/b', 2],
        ['a', 0],
      ],
      [
        ['#', 0],
        ['$x/#', 2],
      ],
      [
        ['a/+', 1],
        ['a/b', 2],
        ['+/+', 0],
      ],
    ] as const);
    this.#sender = this.#observer('the sender', []);
    this.#receiver = this.#observer('the receiver', [[observerTopic, 1]]);
    this.#receiver.onPublish = (packet) => {
      this.#heard = packet.payload.toString();
    };
    this.#watcher = this.#observer('the watcher', this.#watchedFilters);
    this.#watcher.onPublish = (packet) => {
      this.#watched.push({
        topic: packet.topic,
        text: shortText(packet.payload),
        qos: packet.qos,
      });
    };
    this.#baseSessions = this.broker.statistics.sessions;
    this.#baseSubscriptions = this.broker.statistics.subscriptions;
  }

  peer(index: number): FuzzPeer | undefined {
    return this.#peers.get(index);
  }

  open(index: number, profile: ProfileName): void {
    const peer = new FuzzPeer(`192.0.2.${index & 0xff}`);
    this.#peers.get(index)?.breakOff();
    this.#peers.set(index, peer);
    this.broker.accept(peer.transport, profiles[profile]);
    if (peer.isClosed) throw new FuzzFault('a connection is refused: others that ended are still counted');
  }

  /** Time passes; the event loop turns between two sweeps of the broker, as it does outside of tests. */
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

  /** The disk has no room any more, or has it again, where the journal of this world is slow. */
  fillDisk(isFull: boolean): void {
    const state = isFull ? 'full' : 'ok';
    if (this.#slow !== null && this.#slow.state !== state) this.#slow.changeState(state);
  }

  /** Runs turns until nothing is left to do, then looks at everything that can be wrong by now. */
  async settle(): Promise<void> {
    for (let idle = 0, round = 0; idle < 4; round++) {
      if (round > maximumTurns) throw new FuzzFault('the broker never comes to rest');
      this.#runTurns();
      const isBusy = this.#answerAll() || this.#tasks.length > 0;
      idle = isBusy ? 0 : idle + 1;
      // What signs in later goes on in promises.
      if (!isBusy) await Promise.resolve();
    }
    this.#check();
  }

  /** A message between two clients that do everything right gets there, whatever the others do. */
  async checkService(): Promise<void> {
    this.fillDisk(false);
    await this.settle();
    const text = `${this.#serial++}`;
    this.#tell(this.#sender, publishPacket(observerTopic, text, { qos: 1, packetId: 1 }));
    await this.settle();
    for (let waited = 0; this.#heard !== text && waited < patienceMs; waited += 1000) {
      this.advance(1000);
      this.#slow?.commit();
      await this.settle();
    }
    if (this.#heard !== text) throw new FuzzFault('a message between two good clients does not arrive');
  }

  /** Every connection ends; after the longest session all must be as before. */
  async end(): Promise<void> {
    await this.#endAll();
    const { statistics } = this.broker;
    const counted = {
      sessions: statistics.sessions - this.#baseSessions,
      subscriptions: statistics.subscriptions - this.#baseSubscriptions,
      sharedSubscriptions: statistics.sharedSubscriptions,
      clientsConnected: statistics.clientsConnected - 3,
      queuedMessages: statistics.queuedMessages,
      queuedBytes: statistics.queuedBytes,
      retained: statistics.retainedMessages - this.#baseRetained,
    };
    for (const [name, count] of Object.entries(counted))
      if (count !== 0) throw new FuzzFault(`${name}: ${count} are left when every client is gone`);
    if (this.#slow !== null && [...this.#slow.load().sessions].length > 0)
      throw new FuzzFault('the journal keeps a session when every client is gone');
    this.#compareWatched();
  }

  async #endAll(): Promise<void> {
    if (this.#slow !== null && (this.seed & 1) === 0) this.#restartElsewhere();
    for (const peer of this.#peers.values()) peer.breakOff();
    this.#peers.clear();
    await this.settle();
    this.advance((longestSession + 2) * 1000);
    this.#slow?.commit();
    await this.settle();
    for (const topic of this.#retainedTopics)
      this.broker.publish({ topic, payload: Buffer.alloc(0), qos: 0, retain: true });
    this.#retainedTopics.clear();
    this.#slow?.commit();
    await this.settle();
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
      if (/^\S+ error /.test(line) && !line.includes('asked to')) this.#bug ??= line;
    };
    const log = new LineLogger({ clock, level: 'debug', write });
    const redirect = redirectSome;
    return new Broker({ clock, log, limits, journal, name: 'fuzzed', version: '0', schedule, redirect });
  }

  #observer(clientId: string, wanted: readonly (readonly [filter: string, qos: 0 | 1 | 2])[]): FuzzPeer {
    const peer = new FuzzPeer(`198.51.100.${this.#serial++}`);
    this.broker.accept(peer.transport, profiles.open);
    this.#tell(peer, {
      type: PacketType.Connect,
      version: observerVersion,
      bridge: false,
      clientId,
      cleanStart: true,
      keepAlive: 0,
      username: undefined,
      password: undefined,
      will: null,
      properties: {},
    });
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
    peer.send(encodePacket(packet, observerVersion));
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
    for (const peer of [this.#receiver, this.#watcher]) {
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
    for (const peer of [this.#sender, this.#receiver, this.#watcher]) {
      if (peer.fault !== null) throw new FuzzFault(`a good client: ${peer.fault}`);
      if (peer.isClosed) throw new FuzzFault('a good client is disconnected');
    }
  }

  #onPublished(message: HookMessage): void {
    const { topic, payload, retain } = message;
    if (retain && payload.length > 0) this.#retainedTopics.add(topic);
    const matching = this.#watchedFilters.filter(([filter]) => naiveMatches(filter, topic));
    if (matching.length === 0) return;
    const wanted = matching.map(([, qos]) => qos);
    const copies = this.#copiesEach ? wanted : [Math.max(...wanted)];
    for (const one of copies)
      this.#expected.push({ topic, text: shortText(payload), qos: Math.min(message.qos, one) });
  }

  /** What the watcher got is what was published, in order, but for what was dropped and counted. */
  #compareWatched(): void {
    const missing = this.#expected.length - this.#watched.length;
    if (missing !== this.#watcherDrops) {
      throw new FuzzFault(
        `the watcher got ${this.#watched.length} of ${this.#expected.length}, and ${this.#watcherDrops} are counted as dropped`,
      );
    }
    for (const isTracked of [false, true]) {
      const expected = this.#expected.filter(({ qos }) => qos > 0 === isTracked).map(describe);
      let at = 0;
      for (const got of this.#watched.filter(({ qos }) => qos > 0 === isTracked).map(describe)) {
        at = this.#copiesEach ? Math.max(0, at - 3) : at;
        at = expected.indexOf(got, at) + 1;
        if (at === 0) throw new FuzzFault(`the watcher got this out of order or for nothing: ${got}`);
      }
    }
    this.#expected = [];
    this.#watched = [];
    this.#watcherDrops = 0;
  }
}

function describe({ topic, text, qos }: Watched): string {
  return `${qos} ${JSON.stringify(topic)} ${text}`;
}

function shortText(payload: Buffer): string {
  return `${payload.length}:${payload.toString('latin1', 0, 16)}`;
}

import { randomInt } from 'node:crypto';
import { Roster, SparingLog, type Clock, type Logger } from '#base';
import type { LimitsConfig } from '#config';
import { createAckRecord, PublishRecord, type AckRecord } from '#mqtt';
import type { Connection } from './connection.ts';
import { Admission } from './bounds/admission.ts';
import { FairShare } from './bounds/fair-share.ts';
import { FlappingWatch } from './bounds/flapping-watch.ts';
import { MemoryGuard, threadMemory, type MemoryGauge } from './bounds/memory-guard.ts';
import { Throttles } from './bounds/throttle.ts';
import { BackPressure } from './delivery/back-pressure.ts';
import { DiskWatch } from './disk-watch.ts';
import { Deliverer } from './delivery/deliverer.ts';
import { noEvents, type BrokerEvent, type BrokerEvents, type PacketTrace } from './events.ts';
import { callHook, callHooks, createHooks } from './hooks.ts';
import type { Message } from './message.ts';
import type {
  DoorStatistics,
  Identity,
  Journal,
  ListenerProfile,
  Redirect,
  Scheduler,
  StateSource,
} from './ports.ts';
import { Replays } from './retained/replays.ts';
import { RetainedStore } from './retained/retained-store.ts';
import { Lifecycle } from './sessions/lifecycle.ts';
import { QueuePages } from './sessions/queue-pages.ts';
import type { Session } from './sessions/session.ts';
import { SessionTable } from './sessions/session-table.ts';
import { FramePool } from './frame-memory.ts';
import { Gathering } from './gathering.ts';
import { SlabPool } from './slab-pool.ts';
import { Statistics, type DropPolicy } from './statistics.ts';
import { Router } from './subscriptions/router.ts';
import { TakeoverWatch } from './takeover-watch.ts';
import { Turn } from './turn.ts';
import { Wills } from './wills.ts';

/** Lines of one kind in ten seconds; the others are counted in one more. */
const linesOfAKind = 10;
const linesOfTraffic = 500;

/** What a broker is made of; see `Broker` for the fields' meaning. */
export interface BrokerOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** Of the broker as a whole, and of clients whose listener has none of its own. */
  limits: LimitsConfig;
  readonly journal: Journal;
  /** For stamps and `$SYS`. */
  readonly name: string;
  readonly version: string;
  /** Names this broker to bridges: no other one that is bridged with it has the same. Default: `name`. */
  readonly linkName?: string;
  /** Default: `setImmediate`. */
  readonly schedule?: Scheduler;
  /**
   * Sends a client that has signed in elsewhere (MQTT 5, 4.11), or keeps it: `null`. Clients before MQTT 5 are only
   * told that this broker is not available.
   */
  readonly redirect?: (identity: Identity) => Redirect | null;
  /** Default: the memory of this thread. */
  readonly memory?: MemoryGauge;
  /** Default: nobody is told. */
  readonly events?: BrokerEvents;
  /** Seconds between two rounds of `$SYS`; 0 = none. Default: 10. */
  readonly sysIntervalSeconds?: number;
  /**
   * Lets the thread rest half a millisecond where messages come often but one by one: less CPU, a little later. With it
   * everything rests that runs in the thread. Default: it never does.
   */
  readonly gathersMessages?: boolean;
}

/** The parts of one broker, in one place: what handlers and parts reach each other by. Not exported from the layer. */
export class BrokerCore {
  readonly clock: Clock;
  readonly log: Logger;
  /** For what a client can cause as often as it likes. */
  readonly sparing: SparingLog;
  /** For clients that come and go. */
  readonly traffic: SparingLog;
  limits: LimitsConfig;
  readonly journal: Journal;
  readonly name: string;
  readonly linkName: string;
  readonly version: string;
  readonly events: BrokerEvents;
  readonly #onEvent = (event: BrokerEvent): void => this.events.onEvent(event);
  /** `null` where nobody wants to see every packet. */
  trace: PacketTrace | null;
  readonly sysIntervalSeconds: number;
  readonly statistics = new Statistics();
  readonly hooks = createHooks();
  readonly slabs = new SlabPool();
  readonly frames = new FramePool();
  readonly turn: Turn;
  readonly connections = new Roster<Connection>();
  /** Connections with packets that wait for the journal or for back-pressure. */
  readonly deferring = new Set<Connection>();
  readonly sessions = new SessionTable(this.statistics);
  readonly router: Router;
  readonly redirect: ((identity: Identity) => Redirect | null) | null;
  readonly retained: RetainedStore;
  readonly replays: Replays;
  readonly deliverer: Deliverer;
  readonly pages: QueuePages;
  readonly disk: DiskWatch;
  /** Sessions whose messages grow too old to wait. */
  readonly aging = new Set<Session>();
  readonly pressure: BackPressure;
  readonly wills: Wills;
  readonly lifecycle: Lifecycle;
  readonly takeovers: TakeoverWatch;
  readonly admission: Admission;
  readonly flapping: FlappingWatch;
  readonly throttles: Throttles;
  readonly fairShare: FairShare;
  readonly memory: MemoryGuard;
  /** Parts beside the broker that tell of themselves under `$SYS`. */
  readonly sources = new Set<StateSource>();
  /** What the listeners count. */
  readonly doors: Readonly<DoorStatistics>[] = [];
  /** Bytes that may wait for any client's socket while memory is tight; else `Infinity`: their own bounds hold. */
  tightBound = Infinity;
  /** Unacknowledged bytes beyond which a client gets no more while memory is tight; else `Infinity`. */
  unacknowledgedBound = Infinity;
  /** Records that every connection decodes into: valid until the next packet is decoded. */
  readonly publishRecord = new PublishRecord();
  readonly ackRecord: AckRecord = createAckRecord();
  /**
   * Time of the chunk that is being handled, in milliseconds: wall time at the start of this broker and what has passed
   * since. For everything that expires: a clock that is set must not end sessions and messages.
   */
  now: number;
  /** Wall time of that chunk, for stamps. */
  wall: number;
  readonly #startedAt: number;
  /** Ids of stamps: the start of the broker, with something random, then a count. */
  readonly stampPrefix: string;
  stampCount = 0;
  isClosing = false;
  /** Called when the last connection is gone. */
  onIdle: () => void = () => {};

  constructor(options: BrokerOptions) {
    this.clock = options.clock;
    this.log = options.log;
    this.sparing = new SparingLog(options.clock, options.log, linesOfAKind);
    this.traffic = new SparingLog(options.clock, options.log, linesOfTraffic);
    this.limits = options.limits;
    this.journal = options.journal;
    this.name = options.name;
    this.linkName = options.linkName ?? options.name;
    this.version = options.version;
    this.events = options.events ?? noEvents;
    this.trace = this.events.packets;
    this.sysIntervalSeconds = options.sysIntervalSeconds ?? 10;
    const schedule = options.schedule ?? ((callback) => void setImmediate(callback));
    const gathering = options.gathersMessages === true ? new Gathering(options.clock) : null;
    this.turn = new Turn(schedule, this.statistics, gathering);
    this.wall = options.clock.now();
    this.now = this.wall;
    this.#startedAt = this.wall - options.clock.monotonic();
    // Without a battery every start is at the same time: what is random tells them apart.
    this.stampPrefix = `${this.wall.toString(36)}${randomInt(36 ** 4)
      .toString(36)
      .padStart(4, '0')}-`;
    this.redirect = options.redirect ?? null;
    this.router = new Router(this.statistics, options.limits.overlappingCopies === 'each');
    this.retained = new RetainedStore(this);
    this.replays = new Replays(this);
    this.deliverer = new Deliverer(this);
    this.pages = new QueuePages(this);
    this.disk = new DiskWatch(this);
    this.pressure = new BackPressure(this);
    this.wills = new Wills(this);
    this.lifecycle = new Lifecycle(this);
    this.takeovers = new TakeoverWatch(this);
    this.admission = new Admission(this);
    this.flapping = new FlappingWatch(this);
    this.throttles = new Throttles(this);
    this.fairShare = new FairShare(this);
    this.memory = new MemoryGuard(this, options.memory ?? threadMemory);
    this.turn.onPart = (): void => {
      this.memory.look();
      this.memory.relieve();
    };
  }

  /** Everything recorded so far survives a crash. */
  get isDurable(): boolean {
    return this.journal.durableSequence >= this.journal.sequence;
  }

  /** Looks at the clocks; called once per chunk. The monotonic time. */
  tick(): number {
    const monotonic = this.clock.monotonic();
    this.now = Math.floor(this.#startedAt + monotonic);
    this.wall = this.clock.now();
    return monotonic;
  }

  /** What a connection has sent was handled, as far as it was its turn. */
  afterChunk(connection: Connection): void {
    if (connection.stretch <= 0) this.fairShare.wait(connection);
    this.memory.lookIfDue();
  }

  /** As `now`, at this moment. */
  timeNow(): number {
    return Math.floor(this.#startedAt + this.clock.monotonic());
  }

  /** Routes a message of a will or of the broker itself; its topic has been checked. */
  publish(message: Message): void {
    this.deliverer.deliver(this.router.route(message.topic), message, null);
  }

  /** Tells the program around the broker of a message that was routed. */
  tellPublished(message: Message, identity: Identity | null): void {
    const { published } = this.hooks;
    if (published !== null) callHook(published, this.sparing, message, identity);
  }

  /** Tells what happened to a client, but not of the parts of this program. */
  tell(event: BrokerEvent, profile?: ListenerProfile): void {
    if (this.events !== noEvents && profile?.isInside !== true) callHook(this.#onEvent, this.sparing, event);
  }

  /** Counts and tells a message that is not delivered. */
  drop(policy: DropPolicy, clientId: string, topic: string): void {
    this.statistics.dropped[policy]++;
    const { onDropped } = this.hooks;
    if (onDropped.length > 0) callHooks(onDropped, this.sparing, policy, clientId, topic);
  }

  countQueued(messages: number, bytes: number): void {
    this.statistics.queuedMessages += messages;
    this.statistics.queuedBytes += bytes;
    if (this.statistics.queuedBytes >= this.memory.lookAt) this.memory.look();
  }

  onConnectionGone(connection: Connection): void {
    this.admission.leave(connection);
    this.disk.forget(connection);
    if (this.connections.size === 0) this.onIdle();
  }
}

import type { BrokerLink } from '#client';
import { DavylampError, type Clock, type Logger, type Timer } from '#base';
import { ReasonCode, reasonName, type ConnackPacket } from '#mqtt';
import { Addresses, Probe } from './addresses.ts';
import type { BridgeOptions } from './bridge-options.ts';
import { windowOf } from './bridge-packets.ts';
import { changeState, createBridgeStatus, type BridgeStatus } from './bridge-status.ts';
import { LazyStart } from './lazy-start.ts';
import { LinkNotices } from './link-notices.ts';
import { LinkPair } from './link-pair.ts';
import { OwnSession } from './own-session.ts';
import { Retry } from './retry.ts';

/**
 * A bridge between our broker and another one. Its queue is the queue of its session in our broker, which is made before
 * anything else (`#prepareQueue`); what it does itself is to keep two connections, both up or both down, over which
 * packets cross (`LinkPair`).
 */
export class Bridge {
  readonly #options: BridgeOptions;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #status: BridgeStatus;
  readonly #retry: Retry;
  readonly #addresses: Addresses;
  readonly #probe: Probe;
  readonly #notices: LinkNotices;
  /** `null` = it connects without waiting for work. */
  readonly #lazy: LazyStart | null;
  readonly #ours: OwnSession;
  readonly #links: LinkPair;
  #connectedAt = -1;
  #pause: Timer | null = null;
  #fault: DavylampError | null = null;
  #lastLine = '';
  #isRunning = false;
  /** The link is ended by us, to be made again at once. */
  #isParting = false;
  /** The link that stands is the last one. */
  #isLast = false;
  readonly #closing: (() => void)[] = [];

  constructor(options: BridgeOptions) {
    const { config, clock, log } = options;
    this.#options = options;
    this.#clock = clock;
    this.#log = log;
    this.#status = createBridgeStatus(clock.now());
    this.#ours = new OwnSession(clock, windowOf(config));
    this.#addresses = new Addresses(
      [options.remoteDialer, ...(options.moreDialers ?? [])],
      config.roundRobin === true,
    );
    this.#retry = new Retry(config, this.#addresses);
    this.#probe = new Probe(clock);
    this.#notices = new LinkNotices(config, options.publishLocally ?? (() => {}));
    this.#lazy =
      config.startType === 'lazy'
        ? new LazyStart({
            clock,
            threshold: config.lazyThreshold ?? 10,
            idleMs: config.lazyIdleMs ?? 60_000,
            depth: options.queueDepth ?? (() => Infinity),
          })
        : null;
    this.#links = new LinkPair({
      options,
      status: this.#status,
      ours: this.#ours,
      addresses: this.#addresses,
      notices: this.#notices,
      owner: {
        onConnected: (remote, remoteConnack) => this.#onConnected(remote, remoteConnack),
        onPromiseBroken: () => this.#part(),
        onNoRoom: (direction, topic) => this.#onNoRoom(direction, topic),
        onEnd: (error) => this.#onEnd(error),
      },
    });
  }

  get status(): Readonly<BridgeStatus> {
    return this.#status;
  }

  /** Where the other broker is: `mqtts://relay.example:8883`. Of several addresses, the one in use or tried next. */
  get target(): string {
    return this.#addresses.current.target;
  }

  /** Begins to connect, and goes on for ever. */
  start(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#isLast = false;
    this.#ours.isPrepared = false;
    this.#notices.onDown();
    // Connections of before that are still closing: their end begins anew.
    if (this.#links.isOver) this.#begin();
  }

  /**
   * Resolves when what is published from now on waits in the queue, or that has failed and was logged. Until then nobody
   * should be let in who publishes.
   */
  get queueStands(): Promise<void> {
    return this.#ours.stands.promise;
  }

  /** Says goodbye to both brokers; the sessions, and what they hold, stay there. */
  close(): Promise<void> {
    this.#isRunning = false;
    this.#ours.stands.resolve();
    this.#pause?.cancel();
    this.#pause = null;
    this.#notices.onLeaving(this.#links.remote);
    return new Promise((resolve) => {
      this.#closing.push(resolve);
      this.#endBoth();
      this.#whenBothEnded();
    });
  }

  /** The same when the link that stands is lost; where there is none, now. */
  closeWhenLost(): Promise<void> {
    if (this.#status.state !== 'connected') return this.close();
    this.#isLast = true;
    return new Promise((resolve) => {
      this.#closing.push(resolve);
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #begin(): void {
    this.#pause = null;
    this.#fault = null;
    this.#connectedAt = -1;
    changeState(this.#status, 'connecting', this.#clock.now());
    if (this.#ours.isAging) this.#ours.isPrepared = false;
    if (this.#ours.isPrepared) this.#approach();
    else this.#prepareQueue();
  }

  /** The queue stands: connects, now or as soon as there is enough to do. */
  #approach(): void {
    if (this.#lazy === null) {
      this.#links.open(this.#retry.asBridge);
      return;
    }
    changeState(this.#status, 'idle', this.#clock.now());
    const isAging = (): boolean => this.#ours.isAging;
    this.#lazy.untilWork(isAging, () => {
      if (isAging()) this.#begin();
      else {
        changeState(this.#status, 'connecting', this.#clock.now());
        this.#links.open(this.#retry.asBridge);
      }
    });
  }

  #prepareQueue(): void {
    this.#links.prepare((error) => {
      this.#ours.stands.resolve(); // or our own broker has refused, which is told
      if (this.#ours.isPrepared && this.#isRunning) this.#approach();
      else this.#onEnd(error);
    });
  }

  #onConnected(remote: BrokerLink, remoteConnack: ConnackPacket): void {
    this.#connectedAt = this.#clock.monotonic();
    this.#status.connects += 1;
    this.#lastLine = '';
    changeState(this.#status, 'connected', this.#clock.now());
    this.#addresses.onConnected();
    this.#log.notice(`connected to ${this.#addresses.current.target}`);
    this.#notices.onConnected(remote, remoteConnack);
    this.#watchLink();
  }

  /** A lazy link parts when it has nothing to do, a second choice when the first answers again. */
  #watchLink(): void {
    const { preferred } = this.#addresses;
    const leave = (): void => {
      this.#notices.onLeaving(this.#links.remote);
      this.#part();
    };
    if (preferred !== null && this.#options.config.startType !== 'once') {
      this.#probe.start(preferred, () => {
        this.#log.notice(`${preferred.target} answers again; going back to it`);
        leave();
      });
    }
    this.#lazy?.untilIdle(() => this.#status.sent + this.#status.received, leave);
  }

  /** Ended, to be made again after a pause: the message comes again then. */
  #onNoRoom(direction: 'out' | 'in', topic: string): void {
    const target = direction === 'out' ? this.target : 'our own broker';
    this.#status.noRoom += 1;
    this.#fault ??= new DavylampError(
      'REFUSED',
      `${target} has no room for messages now (${reasonName(ReasonCode.QuotaExceeded)}, topic ${topic}); they wait here`,
    );
    this.#notices.onLeaving(this.#links.remote);
    this.#endBoth();
  }

  #part(): void {
    this.#isParting = true;
    this.#endBoth();
  }

  #endBoth(): void {
    this.#probe.stop();
    this.#lazy?.stop();
    this.#links.end();
  }

  /** One connection is over: so is the other, that both sessions may begin again where they were. */
  #onEnd(error: DavylampError | undefined): void {
    if (error !== undefined) this.#fault ??= error;
    this.#endBoth();
    this.#whenBothEnded();
  }

  #whenBothEnded(): void {
    if (!this.#links.isOver) return;
    if (this.#status.state === 'connected') this.#notices.onDown();
    if (this.#isRunning && !this.#isLast) this.#tryAgain();
    else {
      this.#isRunning = false;
      changeState(this.#status, 'closed', this.#clock.now());
    }
    for (const resolve of this.#closing.splice(0)) resolve();
  }

  #tryAgain(): void {
    if (this.#pause !== null) return;
    const isParting = this.#isParting;
    this.#isParting = false;
    const fault = isParting ? null : this.#fault;
    const { isPrepared } = this.#ours;
    const wasConnected = this.#connectedAt >= 0;
    const waitMs = this.#retry.after({
      fault,
      connectedMs: wasConnected ? this.#clock.monotonic() - this.#connectedAt : -1,
      wasRemote: isPrepared && !this.#links.hasReachedRemote,
    });
    // Made once, by whichever way leads there.
    const isOver = isPrepared && !isParting && (waitMs > 0 || wasConnected);
    if (isOver && this.#options.config.startType === 'once') {
      this.#end(fault);
      return;
    }
    if (fault !== null && waitMs > 0) this.#tell(fault.message, waitMs);
    changeState(this.#status, waitMs > 0 ? 'waiting' : 'connecting', this.#clock.now());
    this.#pause = this.#clock.after(waitMs, () => this.#begin());
  }

  /** The one connection that was to be made is over. */
  #end(fault: DavylampError | null): void {
    this.#isRunning = false;
    this.#status.lastError = fault?.message ?? null;
    changeState(this.#status, 'closed', this.#clock.now());
    this.#log.warning(`${fault?.message ?? 'the link is over'}; it is not made again (start type once)`);
  }

  #tell(message: string, waitMs: number): void {
    this.#status.lastError = message;
    if (message === this.#lastLine) return;
    this.#lastLine = message;
    this.#log.warning(message, { retry_in_ms: waitMs });
  }
}

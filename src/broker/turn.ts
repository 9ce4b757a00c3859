import type { Connection } from './connection.ts';
import type { Gathering } from './gathering.ts';
import type { Outbox } from './outbox.ts';
import type { Scheduler } from './ports.ts';
import type { Statistics } from './statistics.ts';

/**
 * Writes of one turn that the system has not taken at once. Over TLS that is each of them, and each takes some 32 KiB
 * for as long as the turn lasts, so that one message to thousands of clients would be hundreds of megabytes.
 */
const waitingInATurn = 256;

/** Work that goes on in slices: true = there is more for the next turn. */
export type SlicedTask = () => boolean;

/**
 * What happens once per turn of the event loop, after all input that was ready has been handled:
 *
 *   1. connections that may read again go on with what was held
 *   2. long work (replay of retained messages) does one slice
 *   3. outboxes that got frames write them, those that got them first; the rest in the next turns
 *   4. the thread may rest a moment, so that what comes one by one gathers
 *
 * Connections go on here and not where they are released, because a release happens inside the handling of another
 * connection's packet, whose records are shared.
 */
export class Turn {
  readonly #schedule: Scheduler;
  readonly #statistics: Readonly<Statistics>;
  readonly #gathering: Gathering | null;
  #dirty: Outbox[] = [];
  #spare: Outbox[] = [];
  readonly #readers = new Set<Connection>();
  #tasks: SlicedTask[] = [];
  #isScheduled = false;
  readonly #run = (): void => this.run();

  /** `gathering`: `null` = the thread never rests. */
  constructor(schedule: Scheduler, statistics: Readonly<Statistics>, gathering: Gathering | null = null) {
    this.#schedule = schedule;
    this.#statistics = statistics;
    this.#gathering = gathering;
  }

  addOutbox(outbox: Outbox): void {
    this.#dirty.push(outbox);
    this.#request();
  }

  addReader(connection: Connection): void {
    this.#readers.add(connection);
    this.#request();
  }

  addTask(task: SlicedTask): void {
    this.#tasks.push(task);
    this.#request();
  }

  /** Outboxes are left over for the next turn: who sends to many has to wait until none is. */
  isBehind = false;
  /** Called after a part of such a flush: when it is done, the memory of the next one is taken. */
  onPart: () => void = () => {};

  /** Does everything that is due now. */
  run(): void {
    this.#isScheduled = false;
    if (this.#readers.size > 0) {
      const readers = [...this.#readers];
      this.#readers.clear();
      for (const connection of readers) connection.goOnReading();
    }
    if (this.#tasks.length > 0) {
      const tasks = this.#tasks;
      this.#tasks = [];
      for (const task of tasks) if (task()) this.addTask(task);
    }
    this.#flush();
    if (!this.isBehind) this.#gathering?.afterTurn(this.#statistics.packetsReceived);
  }

  #flush(): void {
    const outboxes = this.#dirty;
    this.#dirty = this.#spare;
    let end = 0;
    for (let waiting = 0; end < outboxes.length && waiting < waitingInATurn; end++)
      if (outboxes[end]!.flush()) waiting++;
    const wasBehind = this.isBehind;
    this.isBehind = end < outboxes.length;
    if (this.isBehind) {
      for (let i = end; i < outboxes.length; i++) this.#dirty.push(outboxes[i]!);
      this.#request();
    }
    outboxes.length = 0;
    this.#spare = outboxes;
    if (this.isBehind || wasBehind) this.onPart();
  }

  #request(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#schedule(this.#run);
  }
}

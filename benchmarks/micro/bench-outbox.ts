import { SystemClock, type Transport } from '#base';
import { Outbox } from '../../src/broker/outbox.ts';
import { SlabPool } from '../../src/broker/slab-pool.ts';
import { Statistics } from '../../src/broker/statistics.ts';
import { Turn } from '../../src/broker/turn.ts';
import { Sink } from './bench-broker.ts';

/** Outboxes that share one turn, as those of one broker do, each over a transport that takes everything at once. */
export class BenchOutboxes {
  readonly outboxes: readonly Outbox[];
  readonly #tasks: (() => void)[] = [];
  readonly #sinks: readonly Sink[];

  constructor(count: number) {
    const statistics = new Statistics();
    const context = {
      clock: new SystemClock(),
      turn: new Turn((callback) => this.#tasks.push(callback), statistics),
      slabs: new SlabPool(),
      statistics,
      tightBound: Infinity,
    };
    this.#sinks = Array.from({ length: count }, () => new Sink());
    this.outboxes = this.#sinks.map(
      (sink: Transport) => new Outbox(context, sink, { onRelief: () => {} }, 1_048_576),
    );
  }

  /** Copies `frame` into each outbox `times` times and ends the turn; the bytes that the first has written so far. */
  turn(frame: Buffer, times: number): number {
    for (const outbox of this.outboxes) {
      for (let i = 0; i < times; i++) {
        const offset = outbox.room(frame.length);
        frame.copy(outbox.slab, offset);
      }
    }
    while (this.#tasks.length > 0) this.#tasks.shift()!();
    return this.#sinks[0]!.bytes;
  }
}

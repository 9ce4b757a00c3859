/** Nanoseconds per frame for gathering and writing: `node --conditions=source benchmarks/micro/outbox.bench.ts`. */
import { BenchOutboxes } from './bench-outbox.ts';
import { measure } from './measure.ts';

function gathering(name: string, outboxCount: number, framesPerTurn: number, length: number): void {
  const outboxes = new BenchOutboxes(outboxCount);
  const frame = Buffer.alloc(length, 0x61);
  const perTurn = outboxCount * framesPerTurn;
  measure(name, 1_000_000, (count) => {
    let sum = 0;
    for (let i = 0; i < count; i += perTurn) sum += outboxes.turn(frame, framesPerTurn);
    return sum;
  });
}

gathering('1 frame of 100 bytes a turn, one outbox', 1, 1, 100);
gathering('1 frame of 100 bytes a turn, 500 outboxes', 500, 1, 100);
gathering('20 frames of 100 bytes a turn', 20, 20, 100);
gathering('500 frames of 100 bytes a turn: a large slab', 20, 500, 100);
gathering('1,000 frames of 100 bytes a turn: two writes', 20, 1000, 100);
gathering('20 frames of 1 KiB a turn', 20, 20, 1024);

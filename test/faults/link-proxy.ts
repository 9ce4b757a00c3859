import { once } from 'node:events';
import net from 'node:net';

/** Looks at what passes in one direction of one connection; true: cut the link here, `passed` bytes of the chunk first. */
export type LinkWatch = (chunk: Buffer, direction: Direction) => { readonly passed: number } | null;
export type Direction = 'up' | 'down';

interface Pair {
  readonly near: net.Socket;
  readonly far: net.Socket;
}

/**
 * One link of the chain: a TCP port that hands everything on to another one, until it is told not to. `up` is from who
 * dials to who listens.
 */
export class LinkProxy implements AsyncDisposable {
  readonly name: string;
  readonly #target: () => number;
  readonly #server: net.Server;
  readonly #pairs = new Set<Pair>();
  #isCut = false;
  #isStalled = false;
  #delayMs = 0;
  #watch: LinkWatch | null = null;
  /** Connections that were made so far. */
  connections = 0;
  /** Bytes that were handed on, both ways. */
  bytes = 0;

  constructor(name: string, target: () => number) {
    this.name = name;
    this.#target = target;
    this.#server = net.createServer({ noDelay: true, pauseOnConnect: true }, (near) => this.#onDial(near));
  }

  get port(): number {
    return (this.#server.address() as net.AddressInfo).port;
  }

  async start(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  /** Resets every connection and refuses new ones. */
  cut(): void {
    this.#isCut = true;
    this.reset();
  }

  /** Resets every connection; new ones are made. */
  reset(): void {
    for (const pair of this.#pairs) destroy(pair);
    this.#pairs.clear();
  }

  /** Half-open: connections stand and new ones are taken, but nothing goes through and nobody is told. */
  stall(): void {
    this.#isStalled = true;
    for (const { near, far } of this.#pairs) {
      near.pause();
      far.pause();
    }
  }

  /** Every byte waits this long. */
  delay(milliseconds: number): void {
    this.#delayMs = milliseconds;
  }

  /** What was stalled is reset, as after a reboot of the router in between; everything goes through again. */
  heal(): void {
    if (this.#isStalled) this.reset();
    this.#isCut = false;
    this.#isStalled = false;
    this.#delayMs = 0;
  }

  /** Looks at every chunk from now on; `null` = nobody looks. */
  watch(watch: LinkWatch | null): void {
    this.#watch = watch;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.reset();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, 'close');
  }

  #onDial(near: net.Socket): void {
    if (this.#isCut) {
      near.resetAndDestroy();
      return;
    }
    this.connections++;
    const far = net.createConnection({ host: '127.0.0.1', port: this.#target(), noDelay: true });
    const pair = { near, far };
    this.#pairs.add(pair);
    for (const socket of [near, far]) {
      socket.on('error', () => {});
      socket.on('close', () => {
        if (!this.#pairs.delete(pair)) return;
        destroy(pair);
      });
    }
    this.#carry(pair, near, far, 'up');
    this.#carry(pair, far, near, 'down');
    if (this.#isStalled) far.pause();
    else near.resume();
  }

  #carry(pair: Pair, from: net.Socket, to: net.Socket, direction: Direction): void {
    /** Chunks that wait: none may overtake another, also when the delay is over. */
    const waiting: Buffer[] = [];
    from.on('data', (chunk: Buffer) => {
      const verdict = this.#watch?.(chunk, direction) ?? null;
      const passed = verdict === null ? chunk : chunk.subarray(0, verdict.passed);
      this.bytes += passed.length;
      if (this.#delayMs > 0 || waiting.length > 0) {
        waiting.push(passed);
        setTimeout(() => this.#hand(pair, to, waiting.shift() ?? Buffer.alloc(0)), this.#delayMs);
      } else if (!to.write(passed)) {
        from.pause();
        to.once('drain', () => {
          if (!this.#isStalled) from.resume();
        });
      }
      if (verdict === null) return;
      // What was let through still arrives: closed, not reset.
      this.#pairs.delete(pair);
      from.destroy();
      to.end(() => to.destroy());
    });
  }

  #hand(pair: Pair, to: net.Socket, chunk: Buffer): void {
    if (this.#pairs.has(pair)) to.write(chunk);
  }
}

/** With a reset, as a crashed host or a firewall does it. */
function destroy({ near, far }: Pair): void {
  near.resetAndDestroy();
  far.resetAndDestroy();
}

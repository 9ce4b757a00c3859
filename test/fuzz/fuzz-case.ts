import { PacketSource, type Speaker } from './packet-source.ts';
import { encodeTree, mutateBytes, mutateTree, type PacketTree } from './packet-tree.ts';
import { profileNames, type ProfileName } from './fuzz-rules.ts';
import type { FuzzWorld } from './fuzz-world.ts';
import { Random } from './random.ts';

/** One thing that happens to the broker. `isLast`: nothing more comes in this turn of the event loop. */
export type Operation =
  | { readonly kind: 'open'; readonly connection: number; readonly profile: ProfileName }
  | { readonly kind: 'send'; readonly connection: number; readonly bytes: Buffer; readonly isLast: boolean }
  | { readonly kind: 'break' | 'block' | 'unblock'; readonly connection: number }
  | { readonly kind: 'disk'; readonly isFull: boolean }
  | { readonly kind: 'advance'; readonly milliseconds: number }
  | { readonly kind: 'commit'; readonly count: number };

/** Does one thing. */
async function perform(world: FuzzWorld, operation: Operation): Promise<void> {
  switch (operation.kind) {
    case 'open':
      world.open(operation.connection, operation.profile);
      break;
    case 'send':
      world.peer(operation.connection)?.send(operation.bytes);
      if (!operation.isLast) return;
      break;
    case 'break':
      world.peer(operation.connection)?.breakOff();
      break;
    case 'block':
      world.peer(operation.connection)?.block();
      break;
    case 'unblock':
      world.peer(operation.connection)?.unblock();
      break;
    case 'advance':
      world.advance(operation.milliseconds);
      break;
    case 'disk':
      world.fillDisk(operation.isFull);
      break;
    case 'commit':
      world.commit(operation.count);
  }
  await world.settle();
}

/** Plays one case in a world: what was done comes into `done`, for whoever wants to do it again. */
export async function playRandomCase(world: FuzzWorld, seed: number, done: Operation[]): Promise<void> {
  const player = new CasePlayer(world, seed, done);
  await player.play();
}

/** Does what another case did. */
export async function replay(world: FuzzWorld, operations: readonly Operation[]): Promise<void> {
  for (const operation of operations) await perform(world, operation);
  await world.checkService();
  await world.end();
}

const connections = 4;
const clockJumps = [1, 100, 1000, 1500, 3000, 12_000, 32_000, 40_000];

class CasePlayer {
  readonly #world: FuzzWorld;
  readonly #random: Random;
  readonly #source: PacketSource;
  readonly #done: Operation[];
  readonly #versions: (3 | 4 | 5)[] = [];
  readonly #earlier: Buffer[] = [];
  /** Of a hundred packets so many are spoiled. */
  readonly #spoiled: number;

  constructor(world: FuzzWorld, seed: number, done: Operation[]) {
    this.#world = world;
    this.#random = new Random(seed);
    this.#source = new PacketSource(this.#random);
    this.#done = done;
    this.#spoiled = this.#random.pick([0, 0, 2, 5, 10, 50]);
  }

  async play(): Promise<void> {
    const random = this.#random;
    for (let connection = random.below(connections); connection >= 0; connection--)
      await this.#arrive(connection);
    const steps = 4 + random.below(random.pick([4, 20, 60]));
    for (let step = 0; step < steps; step++) await this.#step(random.below(connections));
    await this.#world.checkService();
    await this.#world.end();
  }

  async #do(operation: Operation): Promise<void> {
    this.#done.push(operation);
    await perform(this.#world, operation);
  }

  async #step(connection: number): Promise<void> {
    const random = this.#random;
    if (this.#world.peer(connection) === undefined) {
      await this.#arrive(connection);
      return;
    }
    const choice = random.below(100);
    if (choice < 2) await this.#do({ kind: 'break', connection });
    else if (choice < 6) await this.#do({ kind: 'block', connection });
    else if (choice < 7) await this.#do({ kind: 'unblock', connection });
    else if (choice < 10) await this.#do({ kind: 'advance', milliseconds: random.pick(clockJumps) });
    else if (choice < 13) await this.#do({ kind: 'commit', count: 1 + random.below(30) });
    else if (choice < 15) await this.#arrive(connection);
    else if (choice < 16) await this.#besiege(connection);
    else if (choice < 17) await this.#do({ kind: 'disk', isFull: random.oneIn(2) });
    else await this.#speak(connection, this.#somePackets(connection));
  }

  /** A client that does not read, while another one goes on publishing; then a long time passes. */
  async #besiege(connection: number): Promise<void> {
    if (this.#random.oneIn(2)) {
      const all = this.#source.subscribeAll(this.#speaker(connection));
      await this.#speak(connection, encodeTree(all));
    }
    await this.#do({ kind: 'block', connection });
    const publisher = (connection + 1) % connections;
    if (this.#world.peer(publisher) === undefined) await this.#arrive(publisher);
    const speaker = this.#speaker(publisher);
    const packets: Buffer[] = [];
    for (let count = 5 + this.#random.below(40); count > 0; count--)
      packets.push(this.#bytesOf(this.#source.publish(speaker)));
    await this.#speak(publisher, Buffer.concat(packets));
    await this.#do({ kind: 'advance', milliseconds: this.#random.pick([1500, 4000, 32_000]) });
    if (this.#random.oneIn(2)) await this.#do({ kind: 'unblock', connection });
  }

  /** A new connection; mostly it begins as it should. */
  async #arrive(connection: number): Promise<void> {
    const random = this.#random;
    const profile = random.oneIn(2) ? 'open' : random.pick(profileNames);
    await this.#do({ kind: 'open', connection, profile });
    const version = random.pick([3, 4, 4, 5, 5, 5] as const);
    this.#versions[connection] = version;
    if (random.oneIn(30)) return;
    const packets = [this.#bytesOf(this.#source.connect(version))];
    if (random.oneIn(6)) packets.push(this.#somePackets(connection));
    await this.#speak(connection, Buffer.concat(packets));
  }

  #somePackets(connection: number): Buffer {
    const packets: Buffer[] = [];
    const isFlood = this.#random.oneIn(25);
    for (let count = this.#random.below(isFlood ? 60 : 4); count >= 0; count--)
      packets.push(this.#packet(connection));
    if (this.#random.oneIn(30)) packets.reverse();
    return Buffer.concat(packets);
  }

  #packet(connection: number): Buffer {
    const random = this.#random;
    if (this.#earlier.length > 0 && random.oneIn(30)) return random.pick(this.#earlier);
    const bytes = this.#bytesOf(this.#tree(connection));
    if (this.#earlier.length < 20) this.#earlier.push(bytes);
    return bytes;
  }

  #speaker(connection: number): Speaker {
    return {
      version: this.#versions[connection] ?? 4,
      unanswered: this.#world.peer(connection)?.unanswered ?? [],
    };
  }

  #tree(connection: number): PacketTree {
    const source = this.#source;
    const speaker = this.#speaker(connection);
    const choice = this.#random.below(100);
    if (choice < 36) return source.publish(speaker);
    if (choice < 52) return source.subscribe(speaker);
    if (choice < 57) return source.unsubscribe(speaker);
    if (choice < 78) return source.acknowledge(speaker);
    if (choice < 85) return source.release();
    if (choice < 88) return source.ping();
    if (choice < 91) return source.disconnect(speaker);
    if (choice < 95) return speaker.version === 5 ? source.auth() : source.publish(speaker);
    if (this.#random.oneIn(3)) return source.connect(speaker.version);
    return this.#random.oneIn(3) ? source.stray() : source.ping();
  }

  #bytesOf(tree: PacketTree): Buffer {
    const random = this.#random;
    if (random.below(100) >= this.#spoiled) return encodeTree(tree);
    let spoiled = tree;
    for (let count = random.below(3); count > 0; count--) spoiled = mutateTree(random, spoiled);
    const bytes = encodeTree(spoiled);
    return random.oneIn(3) ? mutateBytes(random, bytes) : bytes;
  }

  /** As one chunk, or in pieces of the same turn or of several. */
  async #speak(connection: number, bytes: Buffer): Promise<void> {
    const random = this.#random;
    let rest = bytes;
    while (random.oneIn(4) && rest.length > 1) {
      const cut = 1 + random.below(rest.length - 1);
      await this.#do({ kind: 'send', connection, bytes: rest.subarray(0, cut), isLast: random.oneIn(2) });
      rest = rest.subarray(cut);
    }
    await this.#do({ kind: 'send', connection, bytes: rest, isLast: !random.oneIn(10) });
  }
}

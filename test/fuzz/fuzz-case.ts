import type { JournalState } from '#broker';
import { PacketSource, type Speaker } from './packet-source.ts';
import { encodeTree, mutateBytes, mutateTree, type PacketTree } from './packet-tree.ts';
import { profileNames, type ProfileName } from './fuzz-rules.ts';
import type { FuzzWorld, Settling } from './fuzz-world.ts';
import { Random } from './random.ts';
import { manageTasks, mostConnections, type ManageTask } from './world-rules.ts';

/** One thing that happens to the broker. `isLast`: nothing more comes in this turn of the event loop. */
export type Operation =
  | { readonly kind: 'open'; readonly connection: number; readonly profile: ProfileName }
  | { readonly kind: 'send'; readonly connection: number; readonly bytes: Buffer; readonly isLast: boolean }
  | { readonly kind: 'break' | 'block' | 'unblock'; readonly connection: number }
  | { readonly kind: 'disk'; readonly state: JournalState }
  | { readonly kind: 'memory'; readonly percent: number }
  | { readonly kind: 'manage'; readonly task: ManageTask }
  | { readonly kind: 'crowd'; readonly count: number }
  | { readonly kind: 'advance'; readonly milliseconds: number }
  | { readonly kind: 'commit'; readonly count: number }
  | { readonly kind: 'end' };

/** Does one thing. */
function perform(world: FuzzWorld, operation: Exclude<Operation, { kind: 'end' }>): Settling {
  switch (operation.kind) {
    case 'open':
      world.open(operation.connection, operation.profile);
      break;
    case 'send':
      world.peer(operation.connection)?.send(operation.bytes);
      if (!operation.isLast) return null;
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
      world.changeDisk(operation.state);
      break;
    case 'memory':
      world.fillMemory(operation.percent);
      break;
    case 'manage':
      world.manage(operation.task);
      break;
    case 'crowd':
      world.crowd(operation.count);
      break;
    case 'commit':
      world.commit(operation.count);
  }
  return world.settle();
}

/** Plays one case in a world: what was done comes into `done`, for whoever wants to do it again. */
export async function playRandomCase(world: FuzzWorld, seed: number, done: Operation[]): Promise<void> {
  await world.take(play(world, new RandomCase(world, seed).operations(), done));
}

/** Does what another case did. */
export async function replay(world: FuzzWorld, operations: readonly Operation[]): Promise<void> {
  await world.take(play(world, operations, []));
}

function* play(
  world: FuzzWorld,
  operations: Iterable<Operation>,
  done: Operation[],
): Generator<Settling, void> {
  for (const operation of operations) {
    done.push(operation);
    if (operation.kind === 'end') yield* endCase(world);
    else yield perform(world, operation);
  }
  yield* endCase(world);
}

function* endCase(world: FuzzWorld): Generator<Settling, void> {
  yield* world.checkService();
  yield* world.end();
}

const connections = 4;
const clockJumps = [1, 100, 1000, 1500, 3000, 12_000, 32_000, 40_000];

/** What happens in one case. Each operation is chosen when the one before it is over: by what the broker has answered. */
class RandomCase {
  readonly #world: FuzzWorld;
  readonly #random: Random;
  readonly #source: PacketSource;
  readonly #versions: (3 | 4 | 5)[] = [];
  readonly #earlier: Buffer[] = [];
  /** Of a hundred packets so many are spoiled. */
  readonly #spoiled: number;

  constructor(world: FuzzWorld, seed: number) {
    this.#world = world;
    this.#random = new Random(seed);
    this.#source = new PacketSource(this.#random);
    this.#spoiled = this.#random.pick([0, 0, 2, 5, 10, 50]);
  }

  *operations(): Generator<Operation, void> {
    const random = this.#random;
    for (let connection = random.below(connections); connection >= 0; connection--)
      yield* this.#arrive(connection);
    const steps = 4 + random.below(random.pick([4, 20, 60]));
    for (let step = 0; step < steps; step++) yield* this.#step(random.below(connections));
  }

  *#step(connection: number): Generator<Operation, void> {
    const random = this.#random;
    if (this.#world.peer(connection) === undefined) {
      yield* this.#arrive(connection);
      return;
    }
    const choice = random.below(100);
    if (choice < 2) yield { kind: 'break', connection };
    else if (choice < 6) yield { kind: 'block', connection };
    else if (choice < 7) yield { kind: 'unblock', connection };
    else if (choice < 10) yield { kind: 'advance', milliseconds: random.pick(clockJumps) };
    else if (choice < 13) yield { kind: 'commit', count: 1 + random.below(30) };
    else if (choice < 15) yield* this.#arrive(connection);
    else if (choice < 16) yield* this.#besiege(connection);
    else if (choice < 17) yield* this.#change();
    else yield* this.#speak(connection, this.#somePackets(connection));
  }

  /** Something happens that is not a client's doing. */
  *#change(): Generator<Operation, void> {
    const random = this.#random;
    const choice = random.below(20);
    if (choice < 10) yield { kind: 'disk', state: random.pick(['ok', 'full', 'failed'] as const) };
    else if (choice < 14) yield { kind: 'memory', percent: random.pick([10, 87, 95, 120]) };
    else if (choice < 19) yield { kind: 'manage', task: random.pick(manageTasks) };
    else if (random.oneIn(10)) yield { kind: 'crowd', count: 1 + random.below(mostConnections) };
    if (choice >= 10 && random.oneIn(2)) yield { kind: 'advance', milliseconds: 1000 };
  }

  /** A client that does not read, while another one goes on publishing; then a long time passes. */
  *#besiege(connection: number): Generator<Operation, void> {
    if (this.#random.oneIn(2)) {
      const all = this.#source.subscribeAll(this.#speaker(connection));
      yield* this.#speak(connection, encodeTree(all));
    }
    yield { kind: 'block', connection };
    const publisher = (connection + 1) % connections;
    if (this.#world.peer(publisher) === undefined) yield* this.#arrive(publisher);
    const speaker = this.#speaker(publisher);
    const packets: Buffer[] = [];
    for (let count = 5 + this.#random.below(40); count > 0; count--)
      packets.push(this.#bytesOf(this.#source.publish(speaker)));
    yield* this.#speak(publisher, Buffer.concat(packets));
    yield { kind: 'advance', milliseconds: this.#random.pick([1500, 4000, 32_000]) };
    if (this.#random.oneIn(2)) yield { kind: 'unblock', connection };
  }

  /** A new connection; mostly it begins as it should. */
  *#arrive(connection: number): Generator<Operation, void> {
    const random = this.#random;
    const profile = random.oneIn(2) ? 'open' : random.pick(profileNames);
    yield { kind: 'open', connection, profile };
    const version = random.pick([3, 4, 4, 5, 5, 5] as const);
    this.#versions[connection] = version;
    if (random.oneIn(30)) return;
    const packets = [this.#bytesOf(this.#source.connect(version))];
    if (random.oneIn(6)) packets.push(this.#somePackets(connection));
    yield* this.#speak(connection, Buffer.concat(packets));
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
  *#speak(connection: number, bytes: Buffer): Generator<Operation, void> {
    const random = this.#random;
    let rest = bytes;
    while (random.oneIn(4) && rest.length > 1) {
      const cut = 1 + random.below(rest.length - 1);
      yield { kind: 'send', connection, bytes: rest.subarray(0, cut), isLast: random.oneIn(2) };
      rest = rest.subarray(cut);
    }
    yield { kind: 'send', connection, bytes: rest, isLast: !random.oneIn(10) };
  }
}

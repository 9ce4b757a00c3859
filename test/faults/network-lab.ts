import { execFile } from 'node:child_process';
import process from 'node:process';
import { promisify } from 'node:util';

const run = promisify(execFile);
const ip = (...args: readonly string[]): Promise<unknown> => run('ip', args);

/** What stands between two hosts goes wrong in one direction or in both. */
export type Way = 'up' | 'down' | 'both';

/** Where a process lives: what it is started by, and the address that the one before it in the chain dials. */
interface Place {
  readonly command: readonly string[];
  readonly address: string;
}

/** How a link goes wrong in this kernel. */
interface Means {
  /** `tc netem`: loss, delay and jitter. Else loss is made by the packet filter, and delay by a queue in front of a slow link. */
  readonly hasNetem: boolean;
  /** `nft`: drops at random, or all. */
  readonly hasFilter: boolean;
}

/** One end of a cable: a device in a namespace; `null` = that of the test. */
interface End {
  readonly namespace: string | null;
  readonly device: string;
  readonly address: string;
}

/** A cable between two namespaces. `up` is from who dials to who listens. */
export class LabLink {
  readonly name: string;
  readonly near: End;
  readonly far: End;
  readonly #means: Means;

  constructor(name: string, near: End, far: End, means: Means) {
    this.name = name;
    this.near = near;
    this.far = far;
    this.#means = means;
  }

  /** So many of a hundred packets are lost, each way. */
  async lose(percent: number, way: Way = 'both'): Promise<void> {
    if (!this.#means.hasFilter) {
      for (const end of this.#sendersOf(way)) await this.#queue(end, 'netem', 'loss', `${percent}%`);
      return;
    }
    const when = percent >= 100 ? [] : ['numgen', 'random', 'mod', '100', '<', String(percent)];
    for (const end of this.#receiversOf(way))
      await this.#inside(
        end,
        'nft',
        'add',
        'rule',
        'inet',
        table,
        'arriving',
        'iifname',
        end.device,
        ...when,
        'drop',
      );
  }

  /** Packets wait, some longer than others. Without netem: as long as it takes to get through a link of 2 Mbit/s. */
  async slow(milliseconds: number): Promise<void> {
    const jitter = Math.ceil(milliseconds / 3);
    const how = this.#means.hasNetem
      ? ['netem', 'delay', `${milliseconds}ms`, `${jitter}ms`]
      : ['tbf', 'rate', '2mbit', 'burst', '16kb', 'latency', `${milliseconds}ms`];
    for (const end of this.#sendersOf('both')) await this.#queue(end, ...how);
  }

  /** The cable is out: both ends see that they have no carrier. */
  async unplug(): Promise<void> {
    for (const end of [this.near, this.far]) await this.#inside(end, 'ip', 'link', 'set', end.device, 'down');
  }

  async heal(): Promise<void> {
    for (const end of [this.near, this.far]) {
      await this.#inside(end, 'ip', 'link', 'set', end.device, 'up');
      await this.#inside(end, 'tc', 'qdisc', 'del', 'dev', end.device, 'root').catch(() => {});
      if (!this.#means.hasFilter) continue;
      await this.#inside(end, 'nft', 'flush', 'chain', 'inet', table, 'arriving');
    }
  }

  #sendersOf(way: Way): readonly End[] {
    if (way === 'both') return [this.near, this.far];
    return [way === 'up' ? this.near : this.far];
  }

  #receiversOf(way: Way): readonly End[] {
    if (way === 'both') return [this.near, this.far];
    return [way === 'up' ? this.far : this.near];
  }

  #queue(end: End, ...how: readonly string[]): Promise<unknown> {
    return this.#inside(end, 'tc', 'qdisc', 'replace', 'dev', end.device, 'root', ...how);
  }

  #inside({ namespace }: End, program: string, ...args: readonly string[]): Promise<unknown> {
    if (namespace === null) return run(program, args);
    return ip('netns', 'exec', namespace, program, ...args);
  }
}

const table = `davylamp-${process.pid}`;
let made = 0;

/**
 * Site and relay in network namespaces of their own, with a cable from the test (detectors) to the site, from there to the
 * relay, and back to the test, where the cloud is. Addresses are of RFC 2544.
 */
export class NetworkLab implements AsyncDisposable {
  readonly site: Place;
  readonly relay: Place;
  readonly cloud: { readonly address: string };
  readonly field: LabLink;
  readonly uplink: LabLink;
  readonly backbone: LabLink;
  readonly means: Means;
  readonly #namespaces: readonly string[];

  private constructor(means: Means) {
    const tag = `${process.pid.toString(36)}${(made++).toString(36)}`;
    const site = `davylamp-site-${tag}`;
    const relay = `davylamp-relay-${tag}`;
    const subnet = (number: number): string =>
      `198.${18 + (process.pid % 2)}.${((process.pid >> 1) % 80) * 3 + number}`;
    const link = (name: string, number: number, from: string | null, to: string | null): LabLink => {
      const end = (namespace: string | null, side: string, host: number): End => ({
        namespace,
        device: `dl${tag}${number}${side}`,
        address: `${subnet(number)}.${host}`,
      });
      return new LabLink(name, end(from, 'a', 1), end(to, 'b', 2), means);
    };
    this.means = means;
    this.#namespaces = [site, relay];
    this.field = link('field', 0, null, site);
    this.uplink = link('uplink', 1, site, relay);
    this.backbone = link('backbone', 2, relay, null);
    this.site = { command: ['ip', 'netns', 'exec', site], address: this.field.far.address };
    this.relay = { command: ['ip', 'netns', 'exec', relay], address: this.uplink.far.address };
    this.cloud = { address: this.backbone.far.address };
  }

  get links(): readonly LabLink[] {
    return [this.field, this.uplink, this.backbone];
  }

  /** Why there can be none here; `null` = there can. */
  static async whyNot(): Promise<string | null> {
    try {
      const lab = await NetworkLab.create();
      await lab[Symbol.asyncDispose]();
      return null;
    } catch (error) {
      const why = error instanceof Error ? error.message.trim().replaceAll('\n', ' ') : String(error);
      return `network namespaces cannot be used here (root and iproute2 are needed): ${why}`;
    }
  }

  static async create(): Promise<NetworkLab> {
    const lab = new NetworkLab(await findMeans());
    try {
      await lab.#build();
    } catch (error) {
      await lab[Symbol.asyncDispose]();
      throw error;
    }
    return lab;
  }

  /** Everything is whole again. */
  async heal(): Promise<void> {
    for (const link of this.links) await link.heal();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const namespace of this.#namespaces) await ip('netns', 'del', namespace).catch(() => {});
    // Cables end with the namespace of either end.
    if (this.means.hasFilter) await run('nft', ['delete', 'table', 'inet', table]).catch(() => {});
  }

  async #build(): Promise<void> {
    for (const namespace of this.#namespaces) {
      await ip('netns', 'add', namespace);
      await ip('-n', namespace, 'link', 'set', 'lo', 'up');
    }
    for (const { near, far } of this.links) {
      await ip('link', 'add', near.device, 'type', 'veth', 'peer', 'name', far.device);
      for (const end of [near, far]) {
        if (end.namespace !== null) await ip('link', 'set', end.device, 'netns', end.namespace);
        const there = end.namespace === null ? [] : ['-n', end.namespace];
        await ip(...there, 'address', 'add', `${end.address}/30`, 'dev', end.device);
        // One packet on the cable is one packet of TCP: a lost one is not 64 KiB.
        await ip(...there, 'link', 'set', end.device, 'gso_max_segs', '1', 'up');
      }
    }
    if (!this.means.hasFilter) return;
    for (const namespace of [null, ...this.#namespaces]) await addFilter(namespace);
  }
}

async function addFilter(namespace: string | null): Promise<void> {
  const nft = ['nft', '-f', '-'];
  const filter =
    namespace === null ? run('nft', nft.slice(1)) : run('ip', ['netns', 'exec', namespace, ...nft]);
  filter.child.stdin?.end(
    `table inet ${table} {\n chain arriving {\n type filter hook prerouting priority -300; policy accept;\n }\n}\n`,
  );
  await filter;
}

/** Tried out in a namespace that is made for it. */
async function findMeans(): Promise<Means> {
  const trial = `davylamp-trial-${process.pid.toString(36)}${(made++).toString(36)}`;
  const works = (...command: readonly string[]): Promise<boolean> =>
    ip('netns', 'exec', trial, ...command).then(
      () => true,
      () => false,
    );
  await ip('netns', 'add', trial);
  try {
    const hasNetem = await works('tc', 'qdisc', 'add', 'dev', 'lo', 'root', 'netem', 'loss', '1%');
    const hasFilter = await works('nft', 'add', 'table', 'inet', table);
    if (!hasNetem && !hasFilter)
      throw new Error('neither tc netem nor nft works here (Debian: apt-get install nftables)');
    return { hasNetem, hasFilter };
  } finally {
    await ip('netns', 'del', trial);
  }
}

import { readFile, rm, writeFile, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { createPlan, type DemoPlan } from '../../src/app/demo/plan.ts';
import { freePorts, portsFrom } from '../../src/app/demo/ports.ts';
import { prepareDemo } from '../../src/app/demo/prepare.ts';
import { readSecret } from '../../src/app/secrets.ts';
import { temporaryFolder } from '../helpers/demo-process.ts';
import { LinkProxy } from './link-proxy.ts';
import { RoleProcess } from './role-process.ts';

export interface ChainOptions {
  /** QoS of the bridges. */
  readonly qos: 1 | 2;
  /** Where the chain keeps its files; default: a temporary folder. It is removed in the end. */
  readonly folder?: string;
  /** Lines for the top of the site's configuration, behind its name. */
  readonly siteLines?: string;
  /** Called when the files are there and nothing runs yet; what it returns is called in the end. */
  readonly beforeStart?: (plan: DemoPlan) => Promise<() => Promise<void>>;
}

/**
 * Site → relay → cloud → SQLite, each a process of its own as in the demo, mutual TLS on the links, and each link through
 * a proxy that can be cut. Whoever publishes at the site goes through a link too.
 */
export class FaultChain implements AsyncDisposable {
  readonly plan: DemoPlan;
  readonly site: RoleProcess;
  readonly relay: RoleProcess;
  readonly cloud: RoleProcess;
  /** Detectors to the site. */
  readonly field: LinkProxy;
  /** Site to relay, relay to cloud. */
  readonly uplink: LinkProxy;
  readonly backbone: LinkProxy;

  #cleanUp: () => Promise<void> = () => Promise.resolve();

  private constructor(plan: DemoPlan) {
    this.plan = plan;
    const config = (...names: readonly string[]): string => path.join(plan.folder, ...names);
    this.site = new RoleProcess('site', ['site', '-c', config('north', 'site.toml')]);
    this.relay = new RoleProcess('relay', ['relay', '-c', config('relay', 'relay.toml')]);
    this.cloud = new RoleProcess('cloud', ['cloud', '-c', config('cloud', 'cloud.toml')]);
    this.field = new LinkProxy('field', () => plan.ports.sites[0] ?? 0);
    this.uplink = new LinkProxy('uplink', () => plan.ports.relay);
    this.backbone = new LinkProxy('backbone', () => plan.ports.cloud);
  }

  get roles(): readonly RoleProcess[] {
    return [this.site, this.relay, this.cloud];
  }

  get links(): readonly LinkProxy[] {
    return [this.field, this.uplink, this.backbone];
  }

  get storeFile(): string {
    return path.join(this.plan.folder, 'cloud', 'store.db');
  }

  static async start(options: ChainOptions): Promise<FaultChain> {
    const folder = options.folder ?? (await temporaryFolder());
    await mkdir(folder, { recursive: true });
    const { ports } = await freePorts(portsFrom(20_000 + Math.floor(Math.random() * 10_000), 1), ['north']);
    const whole = createPlan(folder, ports);
    const chain = new FaultChain({ ...whole, sites: whole.sites.slice(0, 1) });
    for (const link of chain.links) await link.start();
    await prepareDemo(chain.plan, true);
    await chain.#bend('relay/relay.toml', ports.cloud, chain.backbone.port, options.qos);
    await chain.#bend('north/site.toml', ports.relay, chain.uplink.port, options.qos, options.siteLines);
    if (options.beforeStart !== undefined) chain.#cleanUp = await options.beforeStart(chain.plan);
    for (const role of [chain.cloud, chain.relay, chain.site]) await role.start();
    return chain;
  }

  async password(user: 'detector'): Promise<string> {
    return readSecret(path.join(this.plan.folder, 'north', `${user}.password`));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const role of this.roles) await role[Symbol.asyncDispose]();
    for (const link of this.links) await link[Symbol.asyncDispose]();
    await this.#cleanUp();
    await rm(this.plan.folder, { recursive: true, force: true });
  }

  /** Leads a bridge through its proxy and gives its topics the QoS of this run. */
  async #bend(file: string, from: number, to: number, qos: 1 | 2, lines = ''): Promise<void> {
    const target = path.join(this.plan.folder, file);
    const text = await readFile(target, 'utf8');
    const [head = '', bridge = ''] = text.split('[[bridge]]');
    const bent = bridge
      .replace(`port = ${from}`, `port = ${to}`)
      .replaceAll('qos = 1', `qos = ${qos}`)
      .replace('retry_maximum = "5s"', 'retry_maximum = "1s"\nkeep_alive = "5s"');
    const named = head.replace(/^name = .*$/m, (line) => `${line}\n${lines}`);
    await writeFile(target, `${named}[[bridge]]${bent}`);
  }
}

import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { ClientOptions } from '#client';
import { createDialer } from '#listeners';
import { createPlan, type DemoPlan } from '../../src/app/demo/plan.ts';
import { freePorts, portsFrom } from '../../src/app/demo/ports.ts';
import { prepareDemo } from '../../src/app/demo/prepare.ts';
import { readSecret } from '../../src/app/secrets.ts';
import { temporaryFolder } from '../helpers/demo-process.ts';
import { issueChainTrust } from './chain-trust.ts';
import { LinkProxy } from './link-proxy.ts';
import type { NetworkLab } from './network-lab.ts';
import { RoleClock } from './role-clock.ts';
import { RoleProcess } from './role-process.ts';

/** Lines of a configuration by the name of their table. */
export type Tables = Readonly<Record<string, string>>;

export interface ChainOptions {
  /** QoS of the bridges. */
  readonly qos: 1 | 2;
  /** Where the chain keeps its files; default: a temporary folder. It is removed in the end. */
  readonly folder?: string;
  /** What is said otherwise in a role's configuration: lines by the name of their table. */
  readonly siteTables?: Tables;
  readonly relayTables?: Tables;
  /** Lines for both bridges. */
  readonly bridgeLines?: string;
  /** Namespaces that site and relay live in; default: all on 127.0.0.1, each link through a proxy. */
  readonly lab?: NetworkLab;
  /** Each role has a clock of its own, which can be set. */
  readonly hasClocks?: boolean;
  /** Called when the files are there and nothing runs yet; what it returns is called in the end. */
  readonly beforeStart?: (plan: DemoPlan) => Promise<() => Promise<void>>;
}

/** Where somebody listens. */
interface Target {
  readonly host: string;
  readonly port: number;
}

const local = '127.0.0.1';
const roleNames = ['site', 'relay', 'cloud'] as const;

/**
 * Site → relay → cloud → SQLite, each a process of its own as in the demo, mutual TLS on the links, and each link through
 * a proxy that can be cut, or over a network of its own. Whoever publishes at the site goes through a link too.
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
  /** Of site, relay and cloud; empty = they have the system's. */
  readonly clocks: readonly RoleClock[];
  readonly #options: ChainOptions;
  #cleanUp: () => Promise<void> = () => Promise.resolve();

  private constructor(plan: DemoPlan, options: ChainOptions) {
    this.plan = plan;
    this.#options = options;
    const { lab, hasClocks = false } = options;
    const clockOf = (name: string): RoleClock => new RoleClock(name, path.join(plan.folder, `${name}.clock`));
    this.clocks = hasClocks ? roleNames.map(clockOf) : [];
    const role = (name: string, folder: string, prefix: readonly string[] = []): RoleProcess =>
      new RoleProcess(name, [name, '-c', path.join(plan.folder, folder, `${name}.toml`)], {
        prefix,
        environment: this.clocks.find((clock) => clock.name === name)?.environment ?? {},
      });
    this.site = role('site', 'north', lab?.site.command);
    this.relay = role('relay', 'relay', lab?.relay.command);
    this.cloud = role('cloud', 'cloud');
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

  /** Where detectors find the site. */
  get fieldTarget(): Target {
    const { lab } = this.#options;
    if (lab === undefined) return { host: local, port: this.field.port };
    return { host: lab.site.address, port: this.plan.ports.sites[0] ?? 0 };
  }

  /** Where people find the cloud. */
  get cloudTarget(): Target {
    return { host: this.#options.lab?.cloud.address ?? local, port: this.plan.ports.cloud };
  }

  /** Folder of a role's journal. */
  journalOf(role: RoleProcess): string {
    return path.join(this.plan.folder, role === this.site ? 'north' : role.name, 'journal');
  }

  static async start(options: ChainOptions): Promise<FaultChain> {
    const folder = options.folder ?? (await temporaryFolder());
    await mkdir(folder, { recursive: true });
    const { ports } = await freePorts(portsFrom(20_000 + Math.floor(Math.random() * 10_000), 1), ['north']);
    const whole = createPlan(folder, ports);
    const chain = new FaultChain({ ...whole, sites: whole.sites.slice(0, 1) }, options);
    try {
      await chain.#begin();
    } catch (error) {
      await chain[Symbol.asyncDispose]();
      throw error;
    }
    return chain;
  }

  async password(user: 'detector'): Promise<string> {
    return readSecret(path.join(this.plan.folder, 'north', `${user}.password`));
  }

  /** How somebody who watches the cloud gets in. */
  async visitor(): Promise<Pick<ClientOptions, 'dialer' | 'username' | 'password'>> {
    const home = path.join(this.plan.folder, 'visitor');
    const tls = {
      caFile: path.join(home, 'ca.pem'),
      certificateFile: path.join(home, 'visitor.pem'),
      keyFile: path.join(home, 'visitor.key'),
    };
    return {
      dialer: createDialer({ ...this.cloudTarget, tls }),
      username: 'visitor',
      password: await readSecret(path.join(home, 'cloud.password')),
    };
  }

  /** Every link carries, every clock is right. */
  async heal(): Promise<void> {
    for (const link of this.links) link.heal();
    for (const clock of this.clocks) clock.set(0);
    await this.#options.lab?.heal();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const role of this.roles) await role[Symbol.asyncDispose]();
    for (const link of this.links) await link[Symbol.asyncDispose]();
    await this.#cleanUp();
    await rm(this.plan.folder, { recursive: true, force: true });
  }

  async #begin(): Promise<void> {
    const { plan } = this;
    const { lab, siteTables = {}, relayTables = {}, bridgeLines = '', beforeStart } = this.#options;
    for (const link of this.links) await link.start();
    for (const clock of this.clocks) clock.set(0);
    await issueChainTrust(plan, lab === undefined ? [] : [lab.relay.address, lab.cloud.address]);
    await prepareDemo(plan, true);
    const uplink = { host: lab?.relay.address ?? local, port: lab ? plan.ports.relay : this.uplink.port };
    const backbone = lab === undefined ? { host: local, port: this.backbone.port } : this.cloudTarget;
    await this.#bend('north/site.toml', lab?.site.address, siteTables, uplink, bridgeLines);
    await this.#bend('relay/relay.toml', lab?.relay.address, relayTables, backbone, bridgeLines);
    await this.#bend('cloud/cloud.toml', lab?.cloud.address, {}, null, '');
    if (beforeStart !== undefined) this.#cleanUp = await beforeStart(plan);
    for (const role of [this.cloud, this.relay, this.site]) await role.start();
  }

  /** Leads a role's listener and bridge to where this chain has them, and gives its topics the QoS of this run. */
  async #bend(
    file: string,
    address: string = local,
    tables: Tables,
    target: Target | null,
    bridgeLines: string,
  ): Promise<void> {
    const whole = path.join(this.plan.folder, file);
    const text = await readFile(whole, 'utf8');
    const [head = '', bridge] = text.split('[[bridge]]');
    const listening = withTables(head, tables).replace(`address = "${local}"`, `address = "${address}"`);
    if (bridge === undefined || target === null) {
      await writeFile(whole, listening + (bridge === undefined ? '' : `[[bridge]]${bridge}`));
      return;
    }
    const bent = bridge
      .replace(/^host = .*$/m, `host = "${target.host}"`)
      .replace(/^port = .*$/m, `port = ${target.port}\nkeep_alive = "5s"\n${bridgeLines}`)
      .replaceAll('qos = 1', `qos = ${this.#options.qos}`)
      .replace('retry_maximum = "5s"', 'retry_maximum = "1s"');
    await writeFile(whole, `${listening}[[bridge]]${bent}`);
  }
}

/** The text with these lines first in their tables, which are made where there are none. */
function withTables(text: string, tables: Tables): string {
  let whole = text;
  for (const [table, lines] of Object.entries(tables)) {
    const title = `\n[${table}]\n`;
    if (!whole.includes(title)) whole = whole.replace(/\n(?=\[)/, `\n${title}\n`);
    whole = whole.replace(title, `${title}${lines}\n`);
  }
  return whole;
}

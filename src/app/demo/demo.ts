import { mkdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { DavylampError, SystemClock, messageOf, silentLogger, type Clock } from '#base';
import type { RoomView } from '#api';
import type { DemoOptions } from '#cli';
import { mainModule } from '../modules.ts';
import { waitForStop } from '../stop-signal.ts';
import { Child } from './child.ts';
import { ControlServer } from './control.ts';
import { createPlan, defaultFirstPort, demoSites, type DemoPlan } from './plan.ts';
import { freePorts, portsFrom, type ReplacedPort } from './ports.ts';
import { prepareDemo } from './prepare.ts';
import { askSupervisor, readPlan, writePlan, type ProcessInfo } from './record.ts';

/** Runs the whole chain until SIGINT or SIGTERM. Ends with 0 after a clean stop. */
export async function runDemo(options: DemoOptions, print: (line: string) => void): Promise<number> {
  const stop = waitForStop();
  try {
    const plan = await choosePorts(path.resolve(options.folder), options.firstPort, print);
    await runPlan(plan, stop.signalled, print);
  } finally {
    stop.release();
  }
  return 0;
}

async function runPlan(plan: DemoPlan, stopped: Promise<void>, print: (line: string) => void): Promise<void> {
  const clock = new SystemClock();
  const demo = new Demo(plan, clock, print);
  const patience = clock.after(2000, () => print('Starting …'));
  try {
    const hasStarted = await Promise.race([demo.start().then(() => true), stopped.then(() => false)]);
    patience.cancel();
    if (hasStarted) {
      print(`Screen: http://127.0.0.1:${plan.ports.screen}/`);
      print(`Running: ${demo.summary()}. Stop with Ctrl-C; 'davylamp demo status' says where everything is.`);
      await stopped;
    }
  } finally {
    patience.cancel();
    print('Stopping …');
    await demo.close();
  }
}

/** The plan for this start: ports of the last one where they are free. Says which were replaced. */
async function choosePorts(
  folder: string,
  firstPort: number | undefined,
  print: (line: string) => void,
): Promise<DemoPlan> {
  const earlier = folderExists(folder) ? await readPlan(folder) : undefined;
  if (
    earlier !== undefined &&
    (await askSupervisor(earlier.controlSocket, 'GET', '/processes').catch(() => undefined)) !== undefined
  ) {
    throw new DavylampError(
      'USAGE',
      `a demo already runs in ${folder}; stop it, or start another with --data DIR`,
    );
  }
  const siteNames = demoSites().map((site) => site.name);
  const wanted =
    firstPort === undefined && earlier !== undefined
      ? earlier.ports
      : portsFrom(firstPort ?? defaultFirstPort, siteNames.length);
  const { ports, replaced } = await freePorts(wanted, siteNames);
  for (const port of replaced) print(replacedLine(port));
  const plan = createPlan(folder, ports);
  const changed = earlier === undefined || JSON.stringify(earlier.ports) !== JSON.stringify(ports);
  if (earlier === undefined) print(`Making certificates, passwords and configuration files in ${folder}`);
  await prepareDemo(plan, changed);
  await writePlan(plan);
  return plan;
}

function folderExists(folder: string): boolean {
  const facts = statSync(folder, { throwIfNoEntry: false });
  if (facts !== undefined && !facts.isDirectory()) {
    throw new DavylampError('FILE_UNWRITABLE', `${folder} is not a folder; choose another one with --data`);
  }
  return facts !== undefined;
}

function replacedLine(port: ReplacedPort): string {
  return `Port ${port.wanted} is taken; ${port.what} uses ${port.used} instead.`;
}

/** The demo's processes and its control door. */
class Demo {
  readonly #plan: DemoPlan;
  readonly #children: readonly Child[];
  readonly #detectors: ReadonlyMap<string, Child>;
  readonly #control: ControlServer;
  readonly #brokerCount: number;

  constructor(plan: DemoPlan, clock: Clock, say: (line: string) => void) {
    this.#plan = plan;
    const logs = path.join(plan.folder, 'logs');
    mkdirSync(logs, { recursive: true, mode: 0o700 });
    const child = (name: string, command: string, file: string): Child => {
      const config = path.join(plan.folder, file);
      return new Child({
        name,
        args: [mainModule, command, '-c', config],
        config,
        logFile: path.join(logs, `${name.replaceAll(' ', '-')}.log`),
        clock,
        say,
      });
    };
    this.#detectors = new Map(
      plan.sites.map((site) => [
        site.name,
        child(`detectors ${site.name}`, 'detectors', `${site.name}/detectors.json`),
      ]),
    );
    this.#children = [
      child('cloud', 'cloud', 'cloud/cloud.toml'),
      child('relay', 'relay', 'relay/relay.toml'),
      ...plan.sites.map((site) => child(`site ${site.name}`, 'site', `${site.name}/site.toml`)),
      ...this.#detectors.values(),
      ...plan.sites.map((site) => child(`agent ${site.name}`, 'agent', `${site.name}/agent.json`)),
    ];
    this.#brokerCount = 2 + plan.sites.length;
    this.#control = new ControlServer(plan.controlSocket, this, silentLogger);
  }

  async start(): Promise<void> {
    await this.#control.start();
    // Brokers first: who connects to one that is not there yet would only wait and say so.
    await this.#startAll(this.#children.slice(0, this.#brokerCount));
    await this.#startAll(this.#children.slice(this.#brokerCount));
  }

  async #startAll(children: readonly Child[]): Promise<void> {
    const results = await Promise.allSettled(children.map((child) => child.start()));
    const failed = results.find((result) => result.status === 'rejected');
    if (failed !== undefined)
      throw failed.reason instanceof Error ? failed.reason : new Error(messageOf(failed.reason));
  }

  /** `cloud, relay, sites north and south, 12 virtual detectors, 2 host agents`. */
  summary(): string {
    const names = this.#plan.sites.map((site) => site.name).join(' and ');
    const detectors = this.#plan.sites.reduce((sum, site) => sum + site.detectors.length, 0);
    return `cloud, relay, sites ${names}, ${detectors} virtual detectors, ${this.#plan.sites.length} host agents (${this.#children.length} processes)`;
  }

  processes(): readonly ProcessInfo[] {
    return this.#children.map((child) => ({ name: child.name, pid: child.pid, config: child.config }));
  }

  async rooms(): Promise<readonly RoomView[]> {
    const answers = await Promise.all(
      [...this.#detectors.values()].map((child) => child.ask({ kind: 'rooms' })),
    );
    return answers.flatMap((answer) => (answer ?? []) as readonly RoomView[]);
  }

  async leak(site: string, detector: string, litresPerHour: number): Promise<RoomView | undefined> {
    const answer = await this.#detectors.get(site)?.ask({ kind: 'leak', detector, litresPerHour });
    return answer as RoomView | undefined;
  }

  /** From the detectors inwards, so that what was sent is still carried. */
  async close(): Promise<void> {
    const inOrder = [...this.#children].toReversed();
    for (const group of [inOrder.slice(0, -2), inOrder.slice(-2, -1), inOrder.slice(-1)]) {
      await Promise.all(group.map((child) => child.stop()));
    }
    await this.#control.close();
  }
}

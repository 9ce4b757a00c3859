import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { LineLogger, SystemClock } from '#base';
import { Broker, type ListenerProfile } from '#broker';
import { readToml, type ListenerConfig } from '#config';
import { MemoryJournal } from '#journal';
import { createListener, type Listener } from '#listeners';
import { loadTrust } from '#security';

/** A whole broker with listeners of a test, each with the rules that its configuration names. */
export class ListenerBroker {
  readonly broker: Broker;
  readonly lines: string[] = [];
  readonly listeners = new Map<string, Listener>();
  readonly #ports = new Map<string, number>();
  readonly #stack = new AsyncDisposableStack();

  /** Opens a listener for each name; what is not said stands as in a TOML file, for anonymous clients. */
  static async start(configs: Readonly<Record<string, Partial<ListenerConfig>>>): Promise<ListenerBroker> {
    const running = new ListenerBroker();
    for (const [name, change] of Object.entries(configs)) await running.#open({ ...base, name, ...change });
    return running;
  }

  private constructor() {
    const clock = new SystemClock();
    const log = new LineLogger({ clock, level: 'debug', write: (line) => this.lines.push(line) });
    const journal = new MemoryJournal();
    this.broker = new Broker({ clock, log, limits, journal, name: 'listeners', version: '0' });
    this.#stack.defer(() => this.broker.close());
    this.broker.start();
  }

  port(name: string): number {
    const port = this.#ports.get(name);
    assert.ok(port !== undefined, `there is a listener ${name}`);
    return port;
  }

  /** The configuration of a listener as it was opened, changed. */
  async reload(name: string, change: Partial<ListenerConfig>): Promise<void> {
    const listener = this.listeners.get(name);
    assert.ok(listener !== undefined, `there is a listener ${name}`);
    const prepared = await listener.prepareReload({ ...base, name, ...change });
    prepared.commit();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
    assert.equal(this.broker.statistics.bugs, 0, this.lines.find((line) => line.includes('BUG')) ?? '');
  }

  async #open(config: ListenerConfig): Promise<void> {
    const { authenticator, authorizer } = await loadTrust(config);
    const profile: ListenerProfile = {
      name: config.name,
      authenticator,
      authorizer,
      stampSite: null,
      minimumQos: 0,
      sharedClientIds: new Set(),
    };
    const clock = new SystemClock();
    const write = (line: string): unknown => this.lines.push(line);
    const log = new LineLogger({ clock, level: 'debug', write }).child(`listener:${config.name}`);
    const context = { clock, log, maximumConnections: 1000 };
    const opened = createListener(config, (transport) => this.broker.accept(transport, profile), context);
    this.#stack.defer(() => opened.close());
    this.listeners.set(config.name, opened);
    this.#ports.set(config.name, (await opened.start()).port);
  }
}

const text =
  'role = "site"\nname = "listeners"\n[[listener]]\nname = "a"\nport = 0\nallow_anonymous = true\n';
const { limits, listeners } = readToml(text, 'listeners.toml', { baseFolder: '/' }).config;
const base = listeners[0]!;

/** mosquitto_sub while it runs: the lines that it prints. */
export class Subscriber {
  readonly lines: string[] = [];
  readonly #child: ChildProcess;
  #errors = '';
  #wake: () => void = () => {};

  constructor(args: readonly string[]) {
    // Into a pipe it writes what it prints only when it ends; stdbuf becomes the program, by exec.
    this.#child = spawn('/usr/bin/stdbuf', ['-oL', 'mosquitto_sub', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let rest = '';
    this.#child.stdout!.on('data', (chunk: Buffer) => {
      const [...whole] = (rest + chunk.toString()).split('\n');
      rest = whole.pop() ?? '';
      this.lines.push(...whole);
      this.#wake();
    });
    this.#child.stderr!.on('data', (chunk: Buffer) => (this.#errors += chunk.toString()));
    this.#child.once('close', () => this.#wake());
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (this.#child.exitCode !== null) assert.fail(`mosquitto_sub has ended: ${this.#errors}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  [Symbol.dispose](): void {
    this.#child.kill('SIGKILL');
  }
}

/** Runs mosquitto_pub; resolves with its exit code and what it said. */
export function publish(
  args: readonly string[],
): Promise<{ readonly code: number | null; readonly said: string }> {
  const child = spawn('/usr/bin/mosquitto_pub', args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: 20_000 });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
  return new Promise((resolve) => {
    child.once('close', (code) => resolve({ code, said }));
  });
}

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { LineLogger, SystemClock, type Logger, type Transport } from '#base';
import { Broker, type ListenerProfile } from '#broker';
import { readToml, type LimitsConfig, type ListenerConfig } from '#config';
import { MemoryJournal } from '#journal';
import { createListener } from '#listeners';
import { allowAll, hashPassword, loadTrust } from '#security';
import { TestAuthority } from '../helpers/test-certificates.ts';

/** What carries MQTT to the broker under test. */
export const carriers = ['tcp', 'tls', 'ws', 'wss'] as const;
export type Carrier = (typeof carriers)[number];

const schemes = { tcp: 'mqtt', tls: 'mqtts', ws: 'ws', wss: 'wss' } as const;

/** User, password and rules of the listener `private`. */
export const user = { name: 'alice', password: 'open sesame' } as const;
const accessRules = `user ${user.name}\ntopic readwrite allowed/#\n`;

/**
 * A whole broker as a role runs it, from a configuration text: a listener for each carrier where everybody may do
 * everything, one (`private`, TCP) with password and access list, one (`mutual`, TLS) that asks for a certificate.
 */
export class ClientBroker {
  readonly authority: TestAuthority;
  readonly broker: Broker;
  readonly lines: string[] = [];
  readonly ports = new Map<string, number>();
  readonly #stack = new AsyncDisposableStack();
  readonly #folder: string;
  readonly #clock = new SystemClock();
  readonly #log: Logger;

  /** `limits` are lines of the `[broker]` table. */
  static async start(limits = ''): Promise<ClientBroker> {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'davylamp-clients-'));
    const authority = await TestAuthority.create();
    const files = await authority.issue('broker', 'DNS:localhost,IP:127.0.0.1');
    await writeFile(
      path.join(folder, 'passwords'),
      `${user.name}:${await hashPassword(user.password, 1000)}\n`,
      {
        mode: 0o600,
      },
    );
    await writeFile(path.join(folder, 'access'), accessRules);
    const tls = `certificate_file = "${files.certificateFile}"\nkey_file = "${files.keyFile}"\n`;
    const open = carriers.map(
      (carrier) =>
        `[[listener]]\nname = "${carrier}"\nprotocol = "${carrier}"\nport = 0\nallow_anonymous = true\n${carrier === 'tls' || carrier === 'wss' ? tls : ''}`,
    );
    const text = [
      'role = "site"\nname = "clients"\n[broker]\n',
      limits,
      '\n',
      ...open,
      '[[listener]]\nname = "private"\nport = 0\npassword_file = "passwords"\naccess_file = "access"\n',
      `[[listener]]\nname = "mutual"\nprotocol = "tls"\nport = 0\n${tls}ca_file = "${authority.caFile}"\nrequire_certificate = true\nidentity_from_certificate = true\n`,
    ].join('');
    const { config } = readToml(text, 'clients.toml', { baseFolder: folder });
    const running = new ClientBroker(config.limits, folder, authority);
    for (const listener of config.listeners) await running.#open(listener);
    return running;
  }

  private constructor(limits: LimitsConfig, folder: string, authority: TestAuthority) {
    this.authority = authority;
    this.#folder = folder;
    const clock = this.#clock;
    this.#log = new LineLogger({ clock, level: 'debug', write: (line) => this.lines.push(line) });
    const log = this.#log.child('broker');
    this.broker = new Broker({
      clock,
      log,
      limits,
      journal: new MemoryJournal(),
      name: 'clients',
      version: '0',
    });
    this.#stack.defer(() => this.broker.close());
    this.broker.start();
  }

  /** `mqtts://localhost:12345` and its like. */
  url(carrier: Carrier): string {
    const end = carrier === 'ws' || carrier === 'wss' ? '/mqtt' : '';
    return `${schemes[carrier]}://localhost:${this.port(carrier)}${end}`;
  }

  /** For a bridge of this broker: a way in from inside. */
  acceptInside(transport: Transport): void {
    this.broker.accept(transport, {
      name: 'inside',
      authenticator: { authenticate: () => ({ reasonCode: 0, name: 'inside' }) },
      authorizer: allowAll,
      stampSite: null,
      minimumQos: 0,
      sharedClientIds: new Set(),
    });
  }

  port(listener: string): number {
    const port = this.ports.get(listener);
    assert.ok(port !== undefined, `there is a listener ${listener}`);
    return port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
    await this.authority[Symbol.asyncDispose]();
    await rm(this.#folder, { recursive: true, force: true });
    // Whatever a client did, no fault of ours may have shown.
    assert.equal(this.broker.statistics.bugs, 0, this.lines.find((line) => line.includes('BUG')) ?? '');
  }

  async #open(listener: ListenerConfig): Promise<void> {
    const { authenticator, authorizer } = await loadTrust(listener);
    const profile: ListenerProfile = {
      name: listener.name,
      authenticator,
      authorizer,
      stampSite: null,
      minimumQos: listener.minimumQos,
      sharedClientIds: new Set(),
    };
    const log = this.#log.child(`listener:${listener.name}`);
    const context = { clock: this.#clock, log, maximumConnections: 1000 };
    const opened = createListener(listener, (transport) => this.broker.accept(transport, profile), context);
    this.#stack.defer(() => opened.close());
    this.ports.set(listener.name, (await opened.start()).port);
  }
}

/** A port of loopback that was free a moment ago. */
export async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise<void>((resolve) => probe.close(() => resolve()));
  return port;
}

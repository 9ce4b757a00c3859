import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { type Transport } from '#base';
import { readToml, type LimitsConfig } from '#config';
import { allowAll, hashPassword } from '#security';
import { openProfile } from '../helpers/broker-harness.ts';
import { ListenerBroker } from '../helpers/listener-broker.ts';
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
export class ClientBroker extends ListenerBroker {
  readonly authority: TestAuthority;
  readonly #folder: string;

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
    for (const listener of config.listeners) await running.open(listener);
    return running;
  }

  private constructor(limits: LimitsConfig, folder: string, authority: TestAuthority) {
    super(limits);
    this.authority = authority;
    this.#folder = folder;
  }

  /** `mqtts://localhost:12345` and its like. */
  url(carrier: Carrier): string {
    const end = carrier === 'ws' || carrier === 'wss' ? '/mqtt' : '';
    return `${schemes[carrier]}://localhost:${this.port(carrier)}${end}`;
  }

  /** For a bridge of this broker: a way in from inside. */
  acceptInside(transport: Transport): void {
    const name = 'inside';
    const authenticator = { authenticate: () => ({ reasonCode: 0, name }) as const };
    this.broker.accept(transport, openProfile({ name, authenticator, authorizer: allowAll }));
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await this.authority[Symbol.asyncDispose]();
    await rm(this.#folder, { recursive: true, force: true });
    await super[Symbol.asyncDispose]();
  }
}

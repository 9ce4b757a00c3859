import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { readToml } from '#config';
import { hashPassword, loadTrust } from '#security';
import { freePort } from '../helpers/demo-process.ts';
import { overTcp } from '../helpers/wire-client.ts';
import { WireServer } from '../helpers/wire-server.ts';
import type { Target } from './play-scenario.ts';

/** A broker that runs; it is stopped with `await using`. */
export type RunningTarget = Target & AsyncDisposable;

/** The version whose answers docs/conformance/differences.md tells. */
const comparedVersion = '2.0.11';

const mosquitto = findMosquitto();

/** Why nothing can be compared here, or `false`. */
export const whyNotCompared: string | false = whyNot();

/** Debian's program, where it is installed. */
export function findMosquitto(): { readonly program: string; readonly version: string } | undefined {
  for (const program of ['mosquitto', '/usr/sbin/mosquitto']) {
    const { error, stdout } = spawnSync(program, ['-h'], { encoding: 'utf8' });
    if (error === undefined) return { program, version: /version (\S+)/.exec(stdout)?.[1] ?? 'unknown' };
  }
  return undefined;
}

function whyNot(): string | false {
  if (mosquitto === undefined) return 'mosquitto is not installed (apt-get install mosquitto)';
  if (mosquitto.version === comparedVersion) return false;
  return `the differences are those to Mosquitto ${comparedVersion}, and this is ${mosquitto.version}`;
}

/** What both brokers are told about who may do what. */
export interface TrustFiles extends AsyncDisposable {
  readonly folder: string;
  readonly passwords: string;
  readonly access: string;
}

/** Anonymous clients and user `u`, whose password is `p`, may do everything but read or write below `secret/`. */
export async function writeTrustFiles(): Promise<TrustFiles> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'davylamp-differential-'));
  const passwords = path.join(folder, 'passwords');
  const access = path.join(folder, 'access');
  await writeFile(passwords, `u:${await hashPassword('p')}\n`, { mode: 0o600 });
  const rules = 'topic readwrite #\ntopic readwrite $own/#\ntopic deny secret/#\n';
  await writeFile(access, `${rules}user u\n${rules}`);
  return {
    folder,
    passwords,
    access,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Mosquitto with the limits of `ours`. Its time is real. */
export async function startMosquitto(trust: TrustFiles): Promise<RunningTarget> {
  const port = await freePort();
  const file = path.join(trust.folder, `${port}.conf`);
  const lines = [
    `listener ${port} 127.0.0.1`,
    'allow_anonymous true',
    `password_file ${trust.passwords}`,
    `acl_file ${trust.access}`,
    `max_packet_size ${maximumPacketSize}`,
    `max_inflight_messages ${maximumInflight}`,
    'log_type none',
    ...(process.getuid?.() === 0 ? ['user root'] : []), // it would give up the right to read the files
  ];
  await writeFile(file, `${lines.join('\n')}\n`);
  const child = spawn(mosquitto?.program ?? '', ['-c', file], { stdio: 'ignore' });
  let isOver = false;
  child.once('exit', () => {
    isOver = true;
  });
  while (!(await answers(port))) {
    if (isOver) throw new Error(`mosquitto ended at its start; its configuration is ${file}`);
  }
  return {
    port,
    pass: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
    async [Symbol.asyncDispose]() {
      if (isOver) return;
      const exit = once(child, 'exit');
      child.kill();
      await exit;
    },
  };
}

/** Ours, with the limits that Mosquitto has. Its time moves when it is told to. */
export async function startDavylamp(trust: TrustFiles): Promise<RunningTarget> {
  const toml = `role = "site"
name = "test"
[[listener]]
name = "test"
protocol = "tcp"
port = 0
allow_anonymous = true
password_file = "${trust.passwords}"
access_file = "${trust.access}"
`;
  const [config] = readToml(toml, 'test.toml', { baseFolder: '/' }).config.listeners;
  if (config === undefined) throw new Error('the configuration has no listener');
  const { authenticator, authorizer } = await loadTrust(config);
  const limits = {
    maximumPacketSize,
    receiveMaximum: maximumInflight,
    maximumInflight,
    topicAliasMaximum: 10,
    receiveMaximumStrict: true,
  };
  const server = await new WireServer(overTcp, { limits, profile: { authenticator, authorizer } }).start();
  return {
    port: server.port,
    pass: (milliseconds) => {
      server.clock.advance(milliseconds);
      return Promise.resolve();
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

const maximumPacketSize = 1_000_000;
/** Small, so that scenarios reach it. */
const maximumInflight = 3;

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => setTimeout(() => resolve(false), 20));
  });
}

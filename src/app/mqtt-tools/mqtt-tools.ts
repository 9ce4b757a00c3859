import { lookup, resolveSrv } from 'node:dns/promises';
import { appendFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import path from 'node:path';
import process from 'node:process';
import { DavylampError, messageOf, silentLogger, SystemClock, systemCodeOf, type Dialer } from '#base';
import type { BrokerTarget, MqttToolsPort, ToolTls } from '#cli';
import type { TlsFilesConfig } from '#config';
import { createDialer } from '#listeners';
import { openStandardInput } from './standard-input.ts';
import { StandardOutput } from './standard-output.ts';
import { onStop } from './stop-callback.ts';
import { createNanosecondClock } from './wall-clock.ts';

/** Where MQTT over WebSocket lives, as the mosquitto tools ask for it. */
const webSocketPath = '/mqtt';

/** What pub, sub and rr need of the machine. */
export function createMqttTools(version: string, printError: (line: string) => void): MqttToolsPort {
  const clock = new SystemClock();
  return {
    version,
    clock,
    log: silentLogger,
    processId: process.pid,
    nanoseconds: createNanosecondClock(clock),
    output: new StandardOutput(),
    printError,
    createDialer: (target) => openDialer(target, printError),
    resolveService,
    readFile: (file) => readWhole(file),
    readDefaults,
    readInput: openStandardInput,
    onStop,
  };
}

async function openDialer(target: BrokerTarget, printError: (line: string) => void): Promise<Dialer> {
  const { host, port, unixPath, isWebSocket, bindAddress, proxy, tls } = target;
  const localAddress = bindAddress === undefined ? undefined : await addressOf(bindAddress);
  const keylogFile = tls?.keylogFile;
  return createDialer({
    host,
    port,
    tls: tls === null ? null : filesOf(tls),
    ...(unixPath === undefined ? {} : { path: unixPath }),
    ...(isWebSocket ? { webSocketPath } : {}),
    ...(localAddress === undefined ? {} : { localAddress }),
    ...(proxy === undefined ? {} : { socksProxy: proxyOf(proxy) }),
    ...(keylogFile === undefined ? {} : { keyLog: openKeyLog(keylogFile, printError) }),
  });
}

function proxyOf({ host, port, username, password }: NonNullable<BrokerTarget['proxy']>): {
  host: string;
  port: number;
  username?: string;
  password?: string;
} {
  return {
    host,
    port,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
  };
}

function filesOf(tls: ToolTls): TlsFilesConfig {
  const { caFolder, ciphers, version, alpn, psk } = tls;
  return {
    caFile: tls.caFile ?? null,
    certificateFile: tls.certificateFile ?? null,
    keyFile: tls.keyFile ?? null,
    isInsecure: tls.insecure,
    trustsSystem: tls.useSystemAuthorities,
    ...(caFolder === undefined ? {} : { caFolder }),
    ...(ciphers === undefined ? {} : { ciphers }),
    ...(version === undefined ? {} : { minimumVersion: version, maximumVersion: version }),
    ...(alpn === undefined ? {} : { alpn: [alpn] }),
    ...(psk === undefined ? {} : { psk: { identity: psk.identity, keyHex: psk.key.toString('hex') } }),
  };
}

/** Whoever has the keys can read the connection: the file is the user's alone. Throws FILE_UNWRITABLE. */
function openKeyLog(file: string, printError: (line: string) => void): (line: Buffer) => void {
  const fault = (error: unknown): string =>
    `key log ${file} cannot be written (${systemCodeOf(error) ?? messageOf(error)})`;
  let isBroken = false;
  const append = (line: Buffer): void => appendFileSync(file, line, { mode: 0o600 });
  try {
    append(Buffer.alloc(0));
  } catch (error) {
    throw new DavylampError('FILE_UNWRITABLE', `${fault(error)}; check the path and its permissions`, {
      cause: error,
    });
  }
  return (line) => {
    try {
      append(line);
    } catch (error) {
      if (!isBroken) printError(fault(error));
      isBroken = true;
    }
  };
}

async function addressOf(name: string): Promise<string> {
  if (isIP(name) !== 0) return name;
  try {
    return (await lookup(name)).address;
  } catch (error) {
    throw new DavylampError('CONNECT_FAILED', `-A ${name}: there is no address of that name`, {
      cause: error,
    });
  }
}

/** RFC 2782; the one of the best priority, of these the one of the greatest weight. */
async function resolveService(host: string, isTls: boolean): Promise<{ host: string; port: number }> {
  const name = `_${isTls ? 'secure-mqtt' : 'mqtt'}._tcp.${host}`;
  let reason = 'there is none';
  try {
    const records = await resolveSrv(name);
    const [best] = records.toSorted((a, b) => a.priority - b.priority || b.weight - a.weight);
    if (best !== undefined) return { host: best.name, port: best.port };
  } catch (error) {
    reason = systemCodeOf(error) ?? messageOf(error);
  }
  const message = `the name service gives no broker for ${name} (${reason}); leave -S out and give -h`;
  throw new DavylampError('CONNECT_FAILED', message);
}

async function readWhole(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    const code = systemCodeOf(error) ?? messageOf(error);
    throw new DavylampError(
      'FILE_UNREADABLE',
      `${file} cannot be read (${code}); check the path and its permissions`,
      {
        cause: error,
      },
    );
  }
}

async function readDefaults(program: string): Promise<string | null> {
  const { XDG_CONFIG_HOME: folder, HOME: home } = process.env;
  const place = folder ?? (home === undefined ? undefined : path.join(home, '.config'));
  if (place === undefined) return null;
  const file = path.join(place, program);
  try {
    return (await readWhole(file)).toString();
  } catch (error) {
    const code = error instanceof DavylampError ? systemCodeOf(error.cause) : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw error;
  }
}

/**
 * Holds a relay with default bounds in a memory cgroup of 512 MB while clients take all that they can get: 3,990 TLS
 * clients with 20 filters each, retained messages up to their bound, queues, half of the clients deaf, a publisher that
 * goes on. A pair of clients that behave must be served meanwhile, and once the others have left new ones must get in.
 *   node --conditions=source scripts/check-memory.ts [CLIENTS]
 * Says "skipped" where no cgroup can be made (no root). About a minute.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectTcp, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';

const limitBytes = 512 * 1024 * 1024;
const root = path.dirname(import.meta.dirname);
const plainPort = 26_881;
const tlsPort = 26_882;
/** So long the memory of those who left may take to come back. */
const backMs = 40_000;

interface Cgroup {
  readonly folder: string;
  readonly most: string;
}

/** A group of its own; `null` where none can be made. */
function makeCgroup(): Cgroup | null {
  const name = `davylamp-memory-${process.pid}`;
  const versions = [
    { base: '/sys/fs/cgroup/memory', limit: 'memory.limit_in_bytes', most: 'memory.max_usage_in_bytes' },
    { base: '/sys/fs/cgroup', limit: 'memory.max', most: 'memory.peak' },
  ];
  for (const { base, limit, most } of versions) {
    const folder = path.join(base, name);
    try {
      mkdirSync(folder);
    } catch {
      continue;
    }
    try {
      writeFileSync(path.join(folder, limit), String(limitBytes));
      if (existsSync(path.join(folder, most))) return { folder, most: path.join(folder, most) };
    } catch {
      // No memory controller here.
    }
    rmdirSync(folder);
  }
  return null;
}

function text(value: string): Buffer {
  const head = Buffer.alloc(2);
  head.writeUInt16BE(Buffer.byteLength(value));
  return Buffer.concat([head, Buffer.from(value)]);
}

function packet(first: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const length: number[] = [];
  for (let rest = body.length; ;) {
    length.push(rest > 127 ? (rest & 127) | 128 : rest);
    rest >>= 7;
    if (rest === 0) break;
  }
  return Buffer.concat([Buffer.from([first, ...length]), body]);
}

function publish(topic: string, payload: Buffer, flags: number): Buffer {
  return packet(0x30 | flags, text(topic), Buffer.from((flags & 6) === 0 ? [0] : [0, 1, 0]), payload);
}

/** A client of MQTT 5 that is connected; its session outlives it for an hour where it `stays`. */
function open(id: string, isSecure: boolean, stays = false): Promise<Socket> {
  const place = { host: '127.0.0.1', localAddress: `127.0.0.${2 + ((id.length + Number(id.at(-1))) % 4)}` };
  const socket = isSecure
    ? connectTls({ ...place, port: tlsPort, rejectUnauthorized: false })
    : connectTcp({ ...place, port: plainPort });
  const expiry = stays ? [5, 0x11, 0, 0, 14, 16] : [0];
  const connect = packet(0x10, text('MQTT'), Buffer.from([5, stays ? 0 : 2, 0, 0, ...expiry]), text(id));
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.once('close', () => reject(new Error(`${id} is not taken`)));
    socket.once(isSecure ? 'secureConnect' : 'connect', () => socket.write(connect));
    socket.once('data', (answer: Buffer) => {
      if (answer[3] === 0) resolve(socket);
      else socket.destroy();
    });
  });
}

function subscribe(filters: readonly string[]): Buffer {
  return packet(
    0x82,
    Buffer.from([0, 1, 0]),
    ...filters.flatMap((filter) => [text(filter), Buffer.from([1])]),
  );
}

async function write(socket: Socket, bytes: Buffer): Promise<void> {
  if (socket.destroyed || socket.write(bytes)) return;
  await Promise.race([new Promise((resolve) => socket.once('drain', resolve)), sleep(3000)]);
  socket.removeAllListeners('drain');
}

/** Messages from one client that behaves to another: how many came, and the longest wait in milliseconds. */
async function startProbe(): Promise<{ came: number; longest: number; stop: boolean }> {
  const state = { came: 0, longest: 0, stop: false };
  const [reader, writer] = [await open('probe-1', false), await open('probe-2', false)];
  writer.resume();
  reader.write(packet(0x82, Buffer.from([0, 1, 0]), text('probe'), Buffer.from([0])));
  await sleep(300);
  void (async () => {
    while (!state.stop && !reader.destroyed && !writer.destroyed) {
      const start = performance.now();
      const came = new Promise((resolve) => reader.once('data', resolve));
      writer.write(publish('probe', Buffer.from('x'), 0));
      await came;
      state.came++;
      state.longest = Math.max(state.longest, performance.now() - start);
      await sleep(10);
    }
    reader.destroy();
    writer.destroy();
  })();
  return state;
}

async function attack(count: number): Promise<void> {
  const sockets: Socket[] = [];
  const publisher = await open('flood-0', false);
  publisher.resume();
  for (let i = 0; i < count; i += 40) {
    const some = Array.from({ length: Math.min(40, count - i) }, (_, k) => open(`T${i + k}`, true, true));
    for (const one of await Promise.allSettled(some)) if (one.status === 'fulfilled') sockets.push(one.value);
  }
  console.log(`${sockets.length} of ${count} TLS clients are connected`);
  for (const [i, socket] of sockets.entries()) {
    socket.resume();
    const own = Array.from({ length: 20 }, (_, k) => `dev/${i}/${k}/+`);
    await write(socket, subscribe([...own, 'all']));
  }
  await sleep(2000);
  for (let i = 0; i < 100_000 && !publisher.destroyed; i++)
    await write(publisher, publish(`ret/${i}`, Buffer.alloc(600), 1));
  for (let i = 0; i < sockets.length; i += 2) sockets[i]!.pause();
  const end = performance.now() + 15_000;
  for (let i = 0; performance.now() < end && !publisher.destroyed; i++)
    await write(publisher, publish('all', Buffer.alloc(4000), (i & 1) << 1));
  publisher.destroy();
  console.log(`${sockets.filter((socket) => !socket.destroyed).length} are left of them`);
  for (const socket of sockets) socket.destroy();
}

/** True when somebody new gets in, in time. */
async function comesBack(): Promise<boolean> {
  for (const end = performance.now() + backMs; performance.now() < end; await sleep(1000)) {
    const socket = await open('new-1', true).catch(() => null);
    socket?.destroy();
    if (socket !== null) return true;
  }
  return false;
}

function startRelay(folder: string, cgroup: Cgroup): ChildProcess {
  const files = ['-keyout', `${folder}/key.pem`, '-out', `${folder}/cert.pem`, '-subj', '/CN=localhost'];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...files], {
    stdio: 'ignore',
  });
  const listener = (name: string, protocol: string, port: number): string =>
    `[[listener]]\nname = "${name}"\nprotocol = "${protocol}"\naddress = "127.0.0.1"\nport = ${port}\nallow_anonymous = true\n`;
  const secure = 'certificate_file = "cert.pem"\nkey_file = "key.pem"\n';
  const plain = listener('plain', 'tcp', plainPort);
  const config = `role = "relay"\nname = "r"\ntenant = "t"\n${plain}${listener('secure', 'tls', tlsPort)}${secure}`;
  writeFileSync(`${folder}/relay.toml`, config);
  const start = 'echo $$ > "$0/cgroup.procs"; ulimit -n 20000; exec "$1" relay -c relay.toml';
  return spawn('sh', ['-c', start, cgroup.folder, path.join(root, 'bin/davylamp')], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

async function check(cgroup: Cgroup, folder: string, count: number): Promise<readonly string[]> {
  const relay = startRelay(folder, cgroup);
  const ended = new Promise((resolve) => relay.once('exit', resolve));
  try {
    await sleep(3000);
    const probe = await startProbe();
    await attack(count);
    const before = probe.came;
    const faults: string[] = [];
    if (!(await comesBack())) faults.push('nobody new gets in after all have left');
    if (relay.exitCode !== null || relay.signalCode !== null) faults.push('the relay has died');
    else if (probe.came === before) faults.push('clients that behave are served no more');
    probe.stop = true;
    const most = Math.round(Number(readFileSync(cgroup.most, 'utf8')) / 1024 / 1024);
    console.log(
      `at most ${most} MiB; ${probe.came} messages of the pair, the longest took ${probe.longest | 0} ms`,
    );
    return faults;
  } finally {
    relay.kill('SIGKILL');
    await ended;
  }
}

const cgroup = makeCgroup();
if (cgroup === null) console.log('skipped: no memory cgroup can be made here; run it as root');
else {
  const folder = mkdtempSync(path.join(tmpdir(), 'davylamp-memory-'));
  try {
    const faults = await check(cgroup, folder, Number(process.argv[2] ?? 3990));
    for (const fault of faults) console.error(fault);
    process.exitCode = faults.length === 0 ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
    await sleep(500);
    rmdirSync(cgroup.folder);
  }
}
process.exit();

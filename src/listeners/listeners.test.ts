import assert from 'node:assert/strict';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { createConnection, createServer, type Socket } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { FakeClock, type DavylampError, type Transport } from '#base';
import type { ListenerConfig, TlsFilesConfig } from '#config';
import {
  dial,
  exchange,
  hasCode,
  openDoor,
  Recorder,
  type Dialed,
} from '../../test/helpers/listener-door.ts';
import { TestAuthority } from '../../test/helpers/test-certificates.ts';
import { createDialer } from './dial.ts';
import { createMemoryDialer } from './memory.ts';

let authority: TestAuthority;
let stranger: TestAuthority;
let server: TlsFilesConfig;
let detector: TlsFilesConfig;
let folder: string;

before(async () => {
  [authority, stranger] = await Promise.all([TestAuthority.create(), TestAuthority.create('stranger')]);
  server = await authority.issue('broker', 'DNS:localhost,IP:127.0.0.1');
  detector = await authority.issue('detector-1');
  folder = await mkdtemp(path.join(os.tmpdir(), 'davylamp-listeners-'));
});

after(async () => {
  await authority[Symbol.asyncDispose]();
  await stranger[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

test('TCP: bytes both ways, who the peer is, an orderly end that is told once to each side', async () => {
  await using door = await openDoor();
  const near = await dial({ port: door.port });
  const far = await door.accepted();
  await exchange(near, far);
  assert.equal(far.transport!.peer.address, '127.0.0.1');
  assert.equal(far.transport!.peer.certificate, null);
  near.transport.end();
  await Promise.all([near.until(() => near.closes > 0), far.until(() => far.closes > 0)]);
  near.transport.destroy();
  far.transport!.write(Buffer.from('into the void'));
  assert.deepEqual([near.closes, far.closes, near.error, far.error], [1, 1, undefined, undefined]);
  assert.equal(door.listener.statistics.accepted, 1);
});

test('TCP: what is pending before end() arrives, also when the peer is busy', async () => {
  await using door = await openDoor();
  const near = await dial({ port: door.port });
  const far = await door.accepted();
  far.transport!.pause();
  const large = Buffer.alloc(20_000_000, 'x'); // more than Linux takes for a peer that reads nothing
  near.transport.write(large);
  assert.ok(near.transport.pendingBytes > 0);
  near.transport.end();
  far.transport!.resume();
  await far.until(() => far.text.length === large.length);
  await near.until(() => near.closes === 1);
});

test('TCP: onDrain comes when everything was taken, and pause stops reading', async () => {
  await using door = await openDoor();
  const near = await dial({ port: door.port });
  const far = await door.accepted();
  near.transport.write(Buffer.alloc(100_000, 'a'));
  near.transport.write(Buffer.alloc(100_000, 'b'));
  await near.until(() => near.drains > 0);
  assert.equal(near.transport.pendingBytes, 0);
  await far.until(() => far.text.length === 200_000);
  far.transport!.pause();
  near.transport.write(Buffer.from('held'));
  // The answer of the other direction shows that time has passed.
  far.transport!.write(Buffer.from('sentinel'));
  await near.until(() => near.text === 'sentinel');
  assert.equal(far.text.length, 200_000);
  far.transport!.resume();
  await far.until(() => far.text.endsWith('held'));
});

test('TCP: a peer that neither reads nor closes is destroyed 2 s after end()', async () => {
  const clock = new FakeClock();
  const accepted: Socket[] = [];
  const mute = createServer({ allowHalfOpen: true }, (socket) => accepted.push(socket.pause()));
  await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
  const { port } = mute.address() as { port: number };
  const near = await dial({ port, clock });
  near.transport.end();
  assert.equal(near.closes, 0);
  clock.advance(2000);
  await near.until(() => near.closes === 1);
  for (const socket of accepted) socket.destroy();
  mute.close();
});

test('TCP: a reset connection is one onClose with the error, nothing thrown', async () => {
  await using door = await openDoor();
  const socket = createConnection({ host: '127.0.0.1', port: door.port });
  const far = await door.accepted();
  socket.resetAndDestroy();
  await far.until(() => far.closes === 1);
  assert.match(far.error?.message ?? '', /ECONNRESET/);
});

test('a taken port is told with what to do', async () => {
  await using door = await openDoor();
  await assert.rejects(
    openDoor({ port: door.port }),
    hasCode(
      'PORT_TAKEN',
      new RegExp(`^listener detectors: 127\\.0\\.0\\.1:${door.port} is taken; choose another`),
    ),
  );
  await assert.rejects(
    openDoor({ address: '192.0.2.1' }),
    hasCode('LISTEN_FAILED', /not one of this machine/),
  );
});

test('a closed listener frees its port and leaves the connections alone', async () => {
  await using door = await openDoor();
  const near = await dial({ port: door.port });
  const far = await door.accepted();
  await door.listener.close();
  await using again = await openDoor({ port: door.port });
  assert.equal(again.port, door.port);
  await exchange(near, far);
  near.transport.destroy();
});

test('connections beyond the maximum are refused and counted', async () => {
  await using door = await openDoor({}, 2);
  const first = [await dial({ port: door.port }), await dial({ port: door.port })];
  await Promise.all([door.accepted(), door.accepted()]);
  const third = await dial({ port: door.port }).catch(() => null);
  if (third !== null) await third.until(() => third.closes === 1);
  assert.equal(door.listener.statistics.refused, 1);
  assert.equal(door.listener.statistics.accepted, 2);
  assert.match(door.lines.join(''), /connection refused, 2 are open already/);
  for (const near of first) near.transport.destroy();
});

test('Unix: private file, stale file replaced, living one left alone, other files left alone', async () => {
  const file = path.join(folder, 'broker.sock');
  await using door = await openDoor({ protocol: 'unix', path: file });
  assert.deepEqual([door.address, door.port], [file, 0]);
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  const near = await dial({ port: 0, path: file });
  const far = await door.accepted();
  await exchange(near, far);
  assert.deepEqual(far.transport!.peer, { address: 'local', port: 0, certificate: null });
  await assert.rejects(
    openDoor({ protocol: 'unix', path: file }),
    hasCode('PORT_TAKEN', /broker\.sock is taken/),
  );
  near.transport.destroy();

  const plain = path.join(folder, 'notes.txt');
  await writeFile(plain, 'mine');
  await assert.rejects(
    openDoor({ protocol: 'unix', path: plain }),
    hasCode('LISTEN_FAILED', /exists and is no socket/),
  );
  await assert.rejects(
    openDoor({ protocol: 'unix', path: path.join(folder, 'no', 'where.sock') }),
    hasCode('LISTEN_FAILED', /the folder does not exist|access is denied/),
  );
});

test('Unix: a socket file that nobody answers on is replaced', async () => {
  const file = path.join(folder, 'stale.sock');
  const { execFileSync } = await import('node:child_process');
  // A process that dies with the socket open leaves its file behind.
  const script = `require('node:net').createServer().listen(${JSON.stringify(file)}, () => process.kill(process.pid, 'SIGKILL'))`;
  assert.throws(() => execFileSync(process.execPath, ['-e', script], { stdio: 'ignore' }));
  assert.ok((await stat(file)).isSocket());
  await using door = await openDoor({ protocol: 'unix', path: file });
  assert.equal(door.address, file);
});

test('dialing: reasons in plain words', async () => {
  const free = createServer();
  await new Promise<void>((resolve) => free.listen(0, '127.0.0.1', resolve));
  const { port } = free.address() as { port: number };
  await new Promise<void>((resolve) => free.close(() => resolve()));
  await assert.rejects(
    dial({ port }),
    hasCode('CONNECT_FAILED', /^mqtt:\/\/127\.0\.0\.1:\d+: connection refused/),
  );
  await assert.rejects(
    dial({ port: 0, path: path.join(folder, 'none.sock') }),
    hasCode('CONNECT_FAILED', /there is no such socket/),
  );
  await assert.rejects(
    dial({ port, localAddress: '192.0.2.1' }),
    hasCode('CONNECT_FAILED', /not one of this machine/),
  );
});

test('dialing: gives up after 10 s and on abort', async () => {
  const clock = new FakeClock();
  const sockets: Socket[] = [];
  const mute = createServer((socket) => sockets.push(socket));
  await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
  const { port } = mute.address() as { port: number };
  const timers = clock.after.bind(clock);
  let armed: () => void = () => {};
  const isArmed = new Promise<void>((resolve) => {
    armed = resolve;
  });
  clock.after = (delayMs, callback) => {
    armed();
    return timers(delayMs, callback);
  };
  // TLS towards a port that says nothing: the handshake never ends.
  const files = { ...detector };
  const slow = createDialer({ host: '127.0.0.1', port, tls: files, clock });
  const never = slow.dial(new Recorder(), new AbortController().signal);
  await isArmed;
  clock.advance(10_000);
  await assert.rejects(never, hasCode('CONNECT_FAILED', /timed out after 10 s/));
  const abort = new AbortController();
  const aborted = slow.dial(new Recorder(), abort.signal);
  abort.abort(new Error('enough'));
  await assert.rejects(aborted, /enough/);
  for (const socket of sockets) socket.destroy();
  mute.close();
});

test('a dialer leaves from the address it is told', async () => {
  await using door = await openDoor();
  const near = await dial({ port: door.port, localAddress: '127.0.0.9' });
  const far = await door.accepted();
  assert.equal(far.transport!.peer.address, '127.0.0.9');
  near.transport.destroy();
});

const mutual = (): Partial<ListenerConfig> => ({ protocol: 'tls', tls: server, requireCertificate: true });

test('mutual TLS: the certificate names the peer', async () => {
  await using door = await openDoor(mutual());
  const near = await dial({ host: 'localhost', port: door.port, tls: detector });
  const far = await door.accepted();
  await exchange(near, far);
  assert.equal(far.transport!.peer.certificate?.commonName, 'detector-1');
  assert.match(far.transport!.peer.certificate.fingerprint, /^[0-9a-f]{64}$/);
  assert.equal(near.transport.peer.certificate?.commonName, 'broker');
  near.transport.end();
  await far.until(() => far.closes === 1);
});

test('TLS without client certificates', async () => {
  await using door = await openDoor({ protocol: 'tls', tls: { ...server, caFile: null } });
  const near = await dial({
    port: door.port,
    tls: { caFile: authority.caFile, certificateFile: null, keyFile: null },
  });
  const far = await door.accepted();
  await exchange(near, far);
  assert.equal(far.transport!.peer.certificate, null);
  near.transport.destroy();
});

test('a client certificate of another authority is no identity, even where none is required', async () => {
  const foreign = await stranger.issue('detector-1');
  await using door = await openDoor({ protocol: 'tls', tls: server, identityFromCertificate: true });
  const near = await dial({ port: door.port, tls: { ...foreign, caFile: authority.caFile } });
  const far = await door.accepted();
  assert.equal(far.transport!.peer.certificate, null);
  near.transport.destroy();
});

test('mutual TLS: who has no good certificate is turned away, with one clear line', async () => {
  const foreign = await stranger.issue('detector-1');
  const expired = await authority.issue('detector-1', '', -1);
  const cases: readonly [TlsFilesConfig, RegExp][] = [
    [{ caFile: authority.caFile, certificateFile: null, keyFile: null }, /client certificate is missing/],
    [{ ...foreign, caFile: authority.caFile }, /client certificate is signed by an unknown authority/],
    [expired, /client certificate has expired/],
  ];
  await using door = await openDoor(mutual());
  for (const [tls, pattern] of cases) {
    const count = door.lines.length;
    const near = await dial({ port: door.port, tls }).catch((error: unknown) => error as DavylampError);
    if (near instanceof Recorder) {
      await near.until(() => near.closes === 1);
      if (near.error !== undefined)
        assert.match(near.error.message, /our certificate was refused|ECONNRESET/);
    } else {
      assert.match(near.message, /our certificate was refused|closed during the handshake|reset/);
    }
    while (door.lines.length === count) await new Promise((resolve) => setImmediate(resolve));
    assert.match(door.lines[count]!, pattern);
    assert.match(door.lines[count]!, /^\S+ notice listener:detectors: .*peer=127\.0\.0\.1\n$/);
  }
  assert.equal(door.lines.length, cases.length);
  assert.equal(door.listener.statistics.handshakeFailures, cases.length);
  assert.equal(door.listener.statistics.accepted, 0);
});

test('the server must be the one it says: wrong authority, wrong host, no TLS at all', async () => {
  await using door = await openDoor(mutual());
  await assert.rejects(
    dial({ port: door.port, tls: { ...detector, caFile: stranger.caFile } }),
    hasCode('TLS_INVALID', /^mqtts:.*certificate is not signed by our CA/),
  );
  await assert.rejects(
    dial({ port: door.port, tls: detector, servername: 'relay.example' }),
    hasCode('TLS_INVALID', /certificate does not name relay\.example/),
  );
  for (const [answer, code, pattern] of [
    ['HTTP/1.1 400 Bad Request\r\n\r\n', 'TLS_INVALID', /does not speak TLS; check the port/],
    ['', 'CONNECT_FAILED', /closed during the TLS handshake; does that port speak TLS/],
  ] as const) {
    await using plain = await openDoor();
    plain.accepted().then(
      (far) => {
        far.transport!.write(Buffer.from(answer));
        far.transport!.end();
      },
      () => {},
    );
    await assert.rejects(dial({ port: plain.port, tls: detector }), hasCode(code, pattern));
  }
});

test('rubbish towards a TLS port is one counted line', async () => {
  await using door = await openDoor(mutual());
  const socket = createConnection({ host: '127.0.0.1', port: door.port });
  socket.on('error', () => {});
  socket.write('GET / HTTP/1.1\r\n\r\n');
  await new Promise((resolve) => socket.once('close', resolve));
  while (door.lines.length === 0) await new Promise((resolve) => setImmediate(resolve));
  assert.match(door.lines[0]!, /the client does not speak TLS/);
});

test('TLS files: each fault names the file', async () => {
  const other = await authority.issue('other', 'DNS:other');
  const missing = path.join(folder, 'missing.pem');
  const text = path.join(folder, 'text.pem');
  const bent = path.join(folder, 'bent.pem');
  await writeFile(text, 'no certificate');
  await writeFile(bent, '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
  const cases: readonly [Partial<TlsFilesConfig>, string, RegExp][] = [
    [
      { certificateFile: missing },
      'FILE_UNREADABLE',
      /certificate file .*missing\.pem: there is no such file/,
    ],
    [
      { keyFile: other.keyFile },
      'TLS_INVALID',
      /key file .*other\.key does not belong to certificate file .*broker\.pem/,
    ],
    [{ caFile: text }, 'TLS_INVALID', /CA file .*text\.pem holds no certificate/],
    [{ certificateFile: bent }, 'TLS_INVALID', /certificate file .*bent\.pem holds a damaged certificate/],
    [{ keyFile: text }, 'TLS_INVALID', /key file .*text\.pem holds no private key/],
    [{ keyFile: null }, 'TLS_INVALID', /needs a certificate file and a key file/],
    [{ caFile: null }, 'TLS_INVALID', /need a CA file/],
  ];
  for (const [change, code, pattern] of cases) {
    await assert.rejects(openDoor({ ...mutual(), tls: { ...server, ...change } }), hasCode(code, pattern));
  }
});

/** A handshake with options that our own dialer would not use. */
async function handshake(
  port: number,
  options: object,
): Promise<{ socket: TLSSocket; session: Buffer | undefined }> {
  const socket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options });
  let session: Buffer | undefined;
  socket.on('session', (data) => {
    session = data;
  });
  await new Promise((resolve, reject) => {
    socket.once('secureConnect', resolve);
    socket.once('error', reject);
  });
  return { socket, session };
}

test('TLS 1.2 sessions are resumed by session id, as an ESP8266 does, and keep their identity', async () => {
  const { readFile } = await import('node:fs/promises');
  const { constants } = await import('node:crypto');
  const cert = await readFile(detector.certificateFile!);
  const key = await readFile(detector.keyFile!);
  await using door = await openDoor(mutual());
  const options = { cert, key, maxVersion: 'TLSv1.2', secureOptions: constants.SSL_OP_NO_TICKET };
  const first = await handshake(door.port, options);
  await door.accepted();
  assert.equal(first.socket.isSessionReused(), false);
  const session = first.socket.getSession();
  first.socket.destroy();
  const second = await handshake(door.port, { ...options, session });
  const far = await door.accepted();
  assert.equal(second.socket.isSessionReused(), true);
  assert.equal(far.transport!.peer.certificate?.commonName, 'detector-1');
  second.socket.destroy();
  await assert.rejects(handshake(door.port, { maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }));
});

test('a dialer resumes its session with the next connection, and keeps its identity', async () => {
  await using door = await openDoor(mutual());
  const dialer = createDialer({ host: 'localhost', port: door.port, tls: detector });
  for (const round of [1, 2]) {
    const near = new Recorder();
    near.transport = await dialer.dial(near, new AbortController().signal);
    const far = await door.accepted();
    await exchange(near as Dialed, far);
    assert.equal(far.transport!.peer.certificate?.commonName, 'detector-1', `connection ${round}`);
    near.transport.end();
    await near.until(() => near.closes === 1);
  }
});

test('memory: bytes arrive in a later turn, in order, not copied; pause, end and destroy are honest', async () => {
  const far = new Recorder();
  const chunks: Buffer[] = [];
  const dialer = createMemoryDialer((transport) => {
    far.transport = transport;
    transport.handler = far;
  });
  const near = new Recorder();
  near.transport = await dialer.dial(near, new AbortController().signal);
  const onBytes = far.onBytes.bind(far);
  far.onBytes = (chunk) => {
    chunks.push(chunk);
    onBytes(chunk);
  };
  const first = Buffer.from('one ');
  near.transport.write(first);
  near.transport.write(Buffer.from('two '));
  assert.equal(far.text, '');
  assert.equal(near.transport.pendingBytes, 8);
  await near.until(() => near.drains === 1);
  assert.equal(far.text, 'one two ');
  assert.equal(chunks[0], first);
  assert.equal(near.transport.pendingBytes, 0);

  far.transport!.pause();
  near.transport.write(Buffer.from('three'));
  far.transport!.write(Buffer.from('sentinel'));
  await near.until(() => near.text === 'sentinel');
  assert.equal(far.text, 'one two ');
  assert.equal(near.transport.pendingBytes, 5);
  near.transport.end();
  far.transport!.resume();
  await Promise.all([near.until(() => near.closes === 1), far.until(() => far.closes === 1)]);
  assert.equal(far.text, 'one two three');
  near.transport.destroy();
  assert.equal(near.closes, 1);
});

test('memory: a reader that stays paused is left 2 s after end(), and destroy forgets what is pending', async () => {
  const clock = new FakeClock();
  const far = new Recorder();
  const accept = (transport: Transport): void => {
    far.transport = transport;
    transport.handler = far;
  };
  const dialer = createMemoryDialer(accept, undefined, clock);
  const near = new Recorder();
  near.transport = await dialer.dial(near, new AbortController().signal);
  far.transport!.pause();
  near.transport.write(Buffer.from('never'));
  near.transport.end();
  clock.advance(2000);
  await Promise.all([near.until(() => near.closes === 1), far.until(() => far.closes === 1)]);
  assert.equal(far.text, '');
});

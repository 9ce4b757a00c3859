import assert from 'node:assert/strict';
import { createConnection, createServer, type AddressInfo, type Socket } from 'node:net';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { DavylampError } from '#base';
import { dial, exchange, hasCode, openDoor, Recorder } from '../../test/helpers/listener-door.ts';
import { TestAuthority } from '../../test/helpers/test-certificates.ts';
import { createDialer } from './dial.ts';

interface Proxy {
  readonly host: string;
  readonly port: number;
  /** What clients have asked for, in hexadecimal. */
  readonly asked: string[];
  [Symbol.asyncDispose](): Promise<void>;
}

async function openServer(onClient: (client: Socket) => void, asked: string[] = []): Promise<Proxy> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    sockets.add(client);
    client.on('error', () => {});
    onClient(client);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    asked,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A real proxy, as small as can be: one method, names of this machine only. Its answers come byte by byte. */
function openProxy(method: 0 | 2): Promise<Proxy> {
  const asked: string[] = [];
  return openServer((client) => {
    client.setNoDelay(true);
    const answer = (...bytes: number[]): void => {
      for (const byte of bytes) client.write(Buffer.of(byte));
    };
    const next = (then: (chunk: Buffer) => void): void => {
      client.once('data', (chunk: Buffer) => {
        asked.push(chunk.toString('hex'));
        then(chunk);
      });
    };
    const onConnect = (): void =>
      next((chunk) => {
        const port = chunk.readUInt16BE(chunk.length - 2);
        const target = createConnection({ host: '127.0.0.1', port });
        target.on('error', () => answer(5, 5, 0, 1, 0, 0, 0, 0, 0, 0));
        target.on('connect', () => {
          answer(5, 0, 0, 3, 2, 0x61, 0x62, 0, 0);
          client.pipe(target).pipe(client);
        });
        client.on('close', () => target.destroy());
      });
    next(() => {
      answer(5, method);
      if (method === 0) onConnect();
      else
        next((chunk) => {
          const isRight = chunk.toString('latin1') === '\x01\x05alice\x06secret';
          answer(1, isRight ? 0 : 1);
          if (isRight) onConnect();
        });
    });
  }, asked);
}

test('by way of a SOCKS 5 proxy: plain, TLS and WebSocket, by name and by address', async () => {
  await using authority = await TestAuthority.create();
  const server = await authority.issue('broker', 'DNS:localhost,IP:127.0.0.1');
  const tls = { caFile: authority.caFile, certificateFile: null, keyFile: null };
  await using proxy = await openProxy(0);
  const webSocket = { path: '/mqtt', allowedOrigins: [] };
  await using plain = await openDoor();
  await using secure = await openDoor({ protocol: 'tls', tls: { ...server } });
  await using web = await openDoor({ protocol: 'wss', tls: { ...server }, webSocket });
  for (const host of ['localhost', '127.0.0.1']) {
    for (const [door, options] of [
      [plain, { tls: null }],
      [secure, { tls }],
      [web, { tls, webSocketPath: '/mqtt' }],
    ] as const) {
      const near = await dial({ host, port: door.port, ...options, socksProxy: proxy });
      await exchange(near, await door.accepted());
      near.transport.destroy();
    }
  }
  // The proxy looks names up (5, connect, 0, a name of 9 bytes); an address is one.
  assert.match(proxy.asked[1]!, /^05010003096c6f63616c686f7374[0-9a-f]{4}$/);
  assert.match(proxy.asked.at(-1)!, /^050100017f000001[0-9a-f]{4}$/);
});

test('a proxy that asks for user name and password', async () => {
  await using proxy = await openProxy(2);
  await using door = await openDoor();
  const place = { host: '127.0.0.1', port: door.port };
  const { host, port } = proxy;
  const near = await dial({ ...place, socksProxy: { host, port, username: 'alice', password: 'secret' } });
  await exchange(near, await door.accepted());
  near.transport.destroy();
  for (const [credentials, pattern] of [
    [{ username: 'alice', password: 'wrong' }, /does not accept the user name or password/],
    [{ username: 'alice' }, /does not accept the user name or password/],
    [{}, /it asks for a user name and password/],
    [{ username: 'a'.repeat(256) }, /at most 255 bytes/],
  ] as const) {
    await assert.rejects(
      dial({ ...place, socksProxy: { host, port, ...credentials } }),
      (error) => hasCode('CONNECT_FAILED', pattern)(error) && !/secret|wrong/.test((error as Error).message),
    );
  }
});

test('what a proxy answers is told in plain words', async () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['HTTP/1.1 400 Bad Request\r\n', /it says more than it was asked for|does not speak SOCKS 5/],
    ['\x04\x00', /does not speak SOCKS 5/],
    ['\x05\xff', /asks for a user name and password/],
    ['\x05\x00\x00', /it says more than it was asked for/],
    ['', /closed/],
  ];
  for (const [text, pattern] of cases) {
    await using proxy = await openServer((client) => client.end(Buffer.from(text, 'latin1')));
    await assert.rejects(dial({ port: 1883, socksProxy: proxy }), hasCode('CONNECT_FAILED', pattern), text);
  }
  await using proxy = await openProxy(0);
  await assert.rejects(
    dial({ port: 1, socksProxy: proxy }),
    hasCode('CONNECT_FAILED', /SOCKS proxy does not let us through: the connection was refused/),
  );
});

test('whatever a proxy says, a dial ends with its own error or a connection', async () => {
  let answer: Uint8Array = Buffer.alloc(0);
  await using proxy = await openServer((client) => client.end(answer));
  const start = fc.constantFrom('', '0500', '05000500000100000000', '0502', '0500050000', '05000500000300');
  await fc.assert(
    fc.asyncProperty(start, fc.uint8Array({ maxLength: 30 }), async (hex, tail) => {
      answer = Buffer.concat([Buffer.from(hex, 'hex'), tail]);
      const dialer = createDialer({ host: 'localhost', port: 1883, tls: null, socksProxy: proxy });
      const dialed = await dialer
        .dial(new Recorder(), AbortSignal.timeout(5000))
        .catch((error: unknown) => error);
      if (dialed instanceof Error) assert.ok(dialed instanceof DavylampError, String(dialed));
      else (dialed as { destroy(): void }).destroy();
    }),
    { numRuns: 60 },
  );
});

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { test } from 'node:test';
import { SystemClock, type TransportHandler } from '#base';
import { localPeer } from './listener.ts';
import { SocketTransport } from './socket-transport.ts';

/** Both ends of one TCP connection; whoever disposes of it closes them. */
async function socketPair(): Promise<{ near: Socket; far: Socket } & AsyncDisposable> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const near = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [far] = (await once(server, 'connection')) as [Socket];
  if (near.connecting) await once(near, 'connect');
  return {
    near,
    far,
    [Symbol.asyncDispose]: () => {
      near.destroy();
      far.destroy();
      server.close();
      return Promise.resolve();
    },
  };
}

/** Collects what arrives and lets a test wait for it. */
class Receiver implements TransportHandler {
  readonly looksAfterWrite: boolean;
  drains = 0;
  length = 0;
  onChunk: () => void = () => {};
  readonly #chunks: Buffer[] = [];
  #wake: () => void = () => {};

  constructor(looksAfterWrite: boolean) {
    this.looksAfterWrite = looksAfterWrite;
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  onBytes(chunk: Buffer): void {
    this.#chunks.push(Buffer.from(chunk));
    this.length += chunk.length;
    this.onChunk();
    this.#wake();
  }

  onDrain(): void {
    this.drains++;
    this.#wake();
  }

  onClose(): void {
    this.#wake();
  }

  async until(isTrue: () => boolean): Promise<void> {
    while (!isTrue())
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
  }
}

/** Bytes of which each place can be told from its neighbours. */
function numbered(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at + 4 <= length; at += 4) bytes.writeUInt32BE(at, at);
  return bytes;
}

for (const way of ['handed on by push', 'handed on by data events alone'] as const) {
  test(`all bytes come once and in order while reading stops and goes on: ${way}`, async () => {
    await using pair = await socketPair();
    const receiver = new Receiver(true);
    const transport = new SocketTransport(pair.far, localPeer, new SystemClock(), receiver);
    if (way !== 'handed on by push') Reflect.deleteProperty(pair.far, 'push');
    let chunks = 0;
    let pauses = 0;
    receiver.onChunk = () => {
      chunks++;
      if (chunks % 3 !== 0) return;
      pauses++;
      transport.pause();
      // In the same turn, in the next one, or after so much has come that the stream stops its source.
      if (chunks % 2 === 0) transport.resume();
      else setImmediate(() => setImmediate(() => transport.resume()));
    };
    const sent = numbered(3_000_000);
    const step = 70_001;
    for (let at = 0; at < sent.length; at += step) {
      pair.near.write(sent.subarray(at, at + step));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await receiver.until(() => receiver.length >= sent.length);
    assert.ok(pauses > 3);
    assert.ok(receiver.bytes.equals(sent));
  });
}

test('who looks after each write hears of what was not taken at once, and of nothing else', async () => {
  await using pair = await socketPair();
  const receiver = new Receiver(true);
  const transport = new SocketTransport(pair.far, localPeer, new SystemClock(), receiver);
  let seen = 0;
  pair.near.on('data', (chunk) => {
    seen += chunk.length;
  });
  transport.write(Buffer.from('taken at once'));
  assert.equal(transport.pendingBytes, 0);
  pair.near.write('.');
  await receiver.until(() => receiver.length === 1);
  assert.equal(receiver.drains, 0);

  pair.near.pause();
  const large = Buffer.alloc(20_000_000, 'x');
  transport.write(large);
  assert.ok(transport.pendingBytes > 0);
  transport.write(Buffer.from('behind it'));
  pair.near.resume();
  await receiver.until(() => receiver.drains > 0);
  assert.equal(transport.pendingBytes, 0);

  // It keeps up again: no word about the next ones once it has been seen that they are taken at once.
  transport.write(Buffer.from('1'));
  const told = receiver.drains;
  for (let i = 0; i < 10; i++) transport.write(Buffer.from('2'));
  pair.near.write('.');
  await receiver.until(() => receiver.length === 2);
  assert.ok(receiver.drains <= told + 1);
  transport.end();
  await once(pair.near, 'end');
  assert.equal(seen, 'taken at once'.length + large.length + 'behind it'.length + 11);
});

test('who does not look hears after every write', async () => {
  await using pair = await socketPair();
  const receiver = new Receiver(false);
  const transport = new SocketTransport(pair.far, localPeer, new SystemClock(), receiver);
  transport.write(Buffer.from('taken at once'));
  await receiver.until(() => receiver.drains === 1);
  transport.write(Buffer.from('and again'));
  await receiver.until(() => receiver.drains === 2);
});

test('what a peer sends after end() reaches nobody, and does not stop the end', async () => {
  await using pair = await socketPair();
  const receiver = new Receiver(true);
  const transport = new SocketTransport(pair.far, localPeer, new SystemClock(), receiver);
  transport.write(Buffer.from('last words'));
  transport.end();
  pair.near.write(Buffer.alloc(500_000, 'x'));
  let heard = '';
  pair.near.on('data', (chunk) => {
    heard += chunk.toString();
  });
  await once(pair.near, 'end');
  assert.equal(heard, 'last words');
  assert.equal(receiver.length, 0);
});

for (const looksAfterWrite of [true, false]) {
  test(`pieces that are written together come in order among other writes; looks itself: ${looksAfterWrite}`, async () => {
    await using pair = await socketPair();
    const receiver = new Receiver(looksAfterWrite);
    const transport = new SocketTransport(pair.far, localPeer, new SystemClock(), receiver);
    const seen: Buffer[] = [];
    let length = 0;
    pair.near.on('data', (chunk) => {
      seen.push(chunk);
      length += chunk.length;
      if (length === all.length) pair.near.write('.');
    });
    const all = numbered(26_000_000);
    const pieces = [5, 70_000, 3, 20_000_000, 11].map((size, i, before) => {
      const start = before.slice(0, i).reduce((sum, one) => sum + one, 0);
      return all.subarray(start, start + size);
    });
    const end = pieces.reduce((sum, piece) => sum + piece.length, 0);
    transport.writeAll(pieces.slice(0, 2));
    transport.writeAll(pieces.slice(2));
    assert.ok(transport.pendingBytes > 0, 'more than the system takes at once');
    transport.write(all.subarray(end, end + 1));
    transport.writeAll([all.subarray(end + 1)]);
    await receiver.until(() => receiver.length === 1 && receiver.drains > 0);
    assert.equal(transport.pendingBytes, 0);
    assert.ok(Buffer.concat(seen).equals(all));
  });
}

test('pieces that the system takes at once need no word afterwards', async () => {
  await using pair = await socketPair();
  const receiver = new Receiver(true);
  const transport = new SocketTransport(pair.far, localPeer, new SystemClock(), receiver);
  transport.writeAll([Buffer.from('one '), Buffer.from('write')]);
  assert.equal(transport.pendingBytes, 0);
  const [chunk] = (await once(pair.near, 'data')) as [Buffer];
  assert.equal(chunk.toString(), 'one write');
  pair.near.write('.');
  await receiver.until(() => receiver.length === 1);
  assert.equal(receiver.drains, 0);
});

test('who has left is not waited for: the connection closes at once where nothing is pending, else in its time', async () => {
  for (const isPending of [false, true]) {
    await using pair = await socketPair();
    const transport = new SocketTransport(pair.far, localPeer, new SystemClock());
    const closed = once(pair.far, 'close');
    // More than the system takes at once, of somebody who does not read.
    if (isPending) transport.write(Buffer.alloc(16 * 1024 * 1024));
    assert.equal(transport.pendingBytes > 0, isPending);
    transport.hangUp();
    assert.equal(pair.far.destroyed, !isPending);
    if (isPending) transport.destroy();
    await closed;
  }
});

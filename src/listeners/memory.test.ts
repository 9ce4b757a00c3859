import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock, type Transport } from '#base';
import { Recorder } from '../../test/helpers/listener-door.ts';
import { createMemoryDialer } from './memory.ts';

test('bytes arrive in a later turn, in order, not copied; pause, end and destroy are honest', async () => {
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

test('a reader that stays paused is left 2 s after end(), and destroy forgets what is pending', async () => {
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

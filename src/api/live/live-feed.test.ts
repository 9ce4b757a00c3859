import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { test } from 'node:test';
import { alarmView, ApiUnderTest, deviceView, lampId } from '../api-under-test.ts';
import type { LiveEvent, ReadingView } from '../types.ts';
import type { LiveCounts } from './live-feed.ts';
import { maximumPendingReadings, PendingChanges } from './pending-changes.ts';

/** A client that reads the feed as a browser does. */
class FeedReader {
  readonly #response: IncomingMessage;
  readonly #chunks: AsyncIterator<Buffer>;
  #text = '';

  constructor(response: IncomingMessage) {
    this.#response = response;
    this.#chunks = response[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  }

  static async open(subject: ApiUnderTest): Promise<FeedReader> {
    const reader = new FeedReader(await subject.open('/api/v1/live'));
    assert.equal(await reader.block(), 'retry: 2000');
    return reader;
  }

  get response(): IncomingMessage {
    return this.#response;
  }

  /** What stands up to the next empty line; `undefined` at the end of the stream. */
  async block(): Promise<string | undefined> {
    let searched = 0;
    for (;;) {
      const end = this.#text.indexOf('\n\n', searched);
      searched = Math.max(0, this.#text.length - 1);
      if (end >= 0) {
        const block = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 2);
        return block;
      }
      const next = await this.#chunks.next();
      if (next.done === true) return undefined;
      this.#text += next.value.toString('utf8');
    }
  }

  async event(): Promise<LiveEvent> {
    const block = await this.block();
    const match = /^event: (\w+)\ndata: (.*)$/.exec(block ?? '');
    assert.ok(match, `not an event: ${block}`);
    const event = JSON.parse(match[2] as string) as LiveEvent;
    assert.equal(event.kind, match[1]);
    return event;
  }

  /** Reads the snapshot and returns what kinds it is made of. */
  async skipSnapshot(): Promise<string[]> {
    return [(await this.event()).kind, (await this.event()).kind, (await this.event()).kind];
  }

  close(): void {
    this.#response.destroy();
  }
}

function readingView(sequence: number): ReadingView {
  const at = 1_700_000_000_000 + sequence;
  const rest = { epoch: 1, at, receivedAt: at, kind: 'regular', quality: 'good' } as const;
  return { metric: 'gas', value: 0, unit: '1', sequence, ...rest };
}

const readingsEvent = (sequence: number): LiveEvent => ({
  kind: 'readings',
  deviceId: lampId,
  readings: [readingView(sequence)],
});
const alarmsEvent = (comment = ''): LiveEvent => ({ kind: 'alarms', alarms: [alarmView({ rule: comment })] });

async function liveCounts(subject: ApiUnderTest): Promise<LiveCounts> {
  return ((await subject.ask('/api/v1/status')).json as { live: LiveCounts }).live;
}

test('a stream begins with all devices, alarms and the status', async () => {
  await using subject = await ApiUnderTest.start();
  const reader = await FeedReader.open(subject);
  const { headers } = reader.response;
  assert.equal(headers['content-type'], 'text/event-stream');
  assert.equal(headers['cache-control'], 'no-store');
  assert.equal(headers['x-content-type-options'], 'nosniff');
  assert.deepEqual(await reader.event(), { kind: 'devices', devices: [deviceView()] });
  assert.deepEqual(await reader.event(), { kind: 'alarms', alarms: [alarmView()] });
  assert.deepEqual(await reader.event(), { kind: 'status', status: subject.platform.status() });
  reader.close();
});

test('alarms go at once, everything else together after a tenth of a second', async () => {
  await using subject = await ApiUnderTest.start();
  const { platform, clock } = subject;
  const reader = await FeedReader.open(subject);
  await reader.skipSnapshot();
  platform.emit(readingsEvent(1));
  platform.emit({ kind: 'devices', devices: [deviceView({ state: 'gas' })] });
  platform.emit(readingsEvent(2));
  platform.emit({ kind: 'devices', devices: [deviceView({ state: 'silent' })] });
  clock.advance(99);
  platform.emit(alarmsEvent());
  // The alarm was emitted last and comes first: nothing else had left.
  assert.equal((await reader.event()).kind, 'alarms');
  clock.advance(1);
  assert.deepEqual(await reader.event(), { kind: 'devices', devices: [deviceView({ state: 'silent' })] });
  const both = { kind: 'readings', deviceId: lampId, readings: [readingView(1), readingView(2)] };
  assert.deepEqual(await reader.event(), both);
  reader.close();
});

test('a device that speaks a hundred times a second makes ten messages a second', async () => {
  await using subject = await ApiUnderTest.start();
  const { platform, clock } = subject;
  const reader = await FeedReader.open(subject);
  await reader.skipSnapshot();
  for (let n = 0; n < 100; n++) {
    platform.emit(readingsEvent(n));
    clock.advance(10);
  }
  platform.emit(alarmsEvent('end'));
  let messages = 0;
  const sequences: (number | null)[] = [];
  for (;;) {
    const event = await reader.event();
    if (event.kind !== 'readings') break;
    messages++;
    sequences.push(...event.readings.map((reading) => reading.sequence));
  }
  assert.ok(messages <= 10, `${messages} messages`);
  // What the last flush had not yet taken is still on its way; nothing before it is missing or out of order.
  assert.ok(sequences.length >= 90);
  assert.deepEqual(
    sequences,
    sequences.map((_, n) => n),
  );
  reader.close();
});

test('a heartbeat every 15 seconds keeps an idle stream alive', async () => {
  await using subject = await ApiUnderTest.start();
  const reader = await FeedReader.open(subject);
  await reader.skipSnapshot();
  subject.clock.advance(30_000);
  assert.equal(await reader.block(), ': heartbeat');
  assert.equal(await reader.block(), ': heartbeat');
  reader.close();
});

test('the platform is listened to only while somebody looks', async () => {
  await using subject = await ApiUnderTest.start();
  assert.equal(subject.platform.listeners.size, 0);
  const [one, two] = [await FeedReader.open(subject), await FeedReader.open(subject)];
  assert.equal(subject.platform.listeners.size, 1);
  one.close();
  while ((await liveCounts(subject)).streams !== 1) await setImmediate();
  subject.platform.emit(alarmsEvent());
  await two.skipSnapshot();
  assert.equal((await two.event()).kind, 'alarms');
  two.close();
  while ((await liveCounts(subject)).streams !== 0) await setImmediate();
  assert.equal(subject.platform.listeners.size, 0);
});

test('a client that does not read is cut; the others go on', async () => {
  await using subject = await ApiUnderTest.start();
  const reader = await FeedReader.open(subject);
  await reader.skipSnapshot();
  const deaf = connect(subject.port, '127.0.0.1');
  await once(deaf, 'connect');
  deaf.pause();
  deaf.on('error', () => {});
  deaf.write('GET /api/v1/live HTTP/1.1\r\nHost: localhost\r\n\r\n');
  while ((await liveCounts(subject)).streams !== 2) await setImmediate();
  // What the system's own buffers take does not count, so it needs many megabytes; each is read by the other client.
  const large = 'x'.repeat(512 * 1_024);
  let sent = 0;
  for (; (await liveCounts(subject)).cut === 0 && sent < 200; sent++) {
    subject.platform.emit(alarmsEvent(large));
    assert.equal((await reader.event()).kind, 'alarms');
  }
  assert.deepEqual(await liveCounts(subject), { streams: 1, refused: 0, cut: 1, droppedReadings: 0 });
  subject.platform.emit(alarmsEvent('still here'));
  const last = await reader.event();
  assert.ok(last.kind === 'alarms' && last.alarms[0]?.rule === 'still here');
  deaf.destroy();
  reader.close();
});

test('a snapshot larger than the bound is no reason to cut', async () => {
  await using subject = await ApiUnderTest.start();
  subject.platform.alarmList = [alarmView({ rule: 'x'.repeat(20 * 1_048_576) })];
  const response = await subject.open('/api/v1/live');
  response.pause();
  subject.platform.emit(alarmsEvent('after'));
  assert.equal((await liveCounts(subject)).cut, 0);
  const reader = new FeedReader(response);
  assert.equal(await reader.block(), 'retry: 2000');
  await reader.skipSnapshot();
  const event = await reader.event();
  assert.ok(event.kind === 'alarms' && event.alarms[0]?.rule === 'after');
  reader.close();
});

test('streams are bounded', async () => {
  await using subject = await ApiUnderTest.start();
  const readers = await Promise.all(Array.from({ length: 64 }, () => FeedReader.open(subject)));
  const refused = await subject.ask('/api/v1/live');
  assert.equal(refused.status, 503);
  assert.equal((refused.json as { error: string }).error, 'TOO_MANY_STREAMS');
  assert.equal((await liveCounts(subject)).refused, 1);
  readers[0]?.close();
  while ((await liveCounts(subject)).streams !== 63) await setImmediate();
  (await FeedReader.open(subject)).close();
  for (const reader of readers) reader.close();
});

test('closing the API ends every stream in order', async () => {
  await using subject = await ApiUnderTest.start();
  const reader = await FeedReader.open(subject);
  await reader.skipSnapshot();
  await subject.api.close();
  assert.equal(await reader.block(), undefined);
  assert.equal(subject.platform.listeners.size, 0);
  await subject.api.close();
});

test('a platform that fails at the snapshot leaves no stream behind', async () => {
  await using subject = await ApiUnderTest.start();
  subject.platform.failure = new Error('no');
  assert.equal((await subject.ask('/api/v1/live')).status, 500);
  subject.platform.failure = undefined;
  assert.equal((await liveCounts(subject)).streams, 0);
  assert.equal(subject.platform.listeners.size, 0);
});

test('HEAD opens no stream', async () => {
  await using subject = await ApiUnderTest.start();
  assert.equal((await subject.ask('/api/v1/live', { method: 'HEAD' })).status, 200);
  assert.equal((await liveCounts(subject)).streams, 0);
});

test('pending readings are bounded for each device; the youngest stay and the rest is counted', () => {
  const pending = new PendingChanges();
  const excess = 7;
  for (let n = 0; n < maximumPendingReadings + excess; n++) pending.add(readingsEvent(n));
  pending.add({ kind: 'readings', deviceId: 'other', readings: [readingView(1)] });
  const [first, second] = pending.take();
  assert.ok(first?.kind === 'readings' && second?.kind === 'readings');
  assert.equal(first.readings.length, maximumPendingReadings);
  assert.equal(first.readings[0]?.sequence, excess);
  assert.equal(second.deviceId, 'other');
  assert.equal(pending.dropped, excess);
  assert.ok(pending.isEmpty);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LiveEvent } from '../../../src/api/types.ts';
import { LiveFeed, type FeedSource } from './live.ts';
import { ScreenStore } from './store.ts';
import { deviceView, statusView } from './test-views.ts';

/** A connection whose other end is the test. */
class TestSource implements FeedSource {
  onerror: ((event: Event) => unknown) | null = null;
  readyState = 1;
  readonly #listeners = new Map<string, (event: MessageEvent<string>) => void>();

  addEventListener(name: string, listener: (event: MessageEvent<string>) => void): void {
    this.#listeners.set(name, listener);
  }

  close(): void {
    this.readyState = 2;
  }

  send(event: LiveEvent): void {
    this.sendText(event.kind, JSON.stringify(event));
  }

  sendText(name: string, data: string): void {
    this.#listeners.get(name)?.({ data } as MessageEvent<string>);
  }
}

class World {
  now = 1000;
  readonly sources: TestSource[] = [];
  readonly store = new ScreenStore(1000);
  #check: () => void = () => {};

  constructor() {
    const every = (_periodMs: number, callback: () => void): (() => void) => {
      this.#check = callback;
      return () => {};
    };
    const open = (): FeedSource => {
      const source = new TestSource();
      this.sources.push(source);
      return source;
    };
    new LiveFeed({ store: this.store, clock: { now: () => this.now, every }, open }).start();
  }

  get source(): TestSource {
    const source = this.sources.at(-1);
    assert.ok(source);
    return source;
  }

  pass(milliseconds: number): void {
    for (let passed = 0; passed < milliseconds; passed += 500) {
      this.now += 500;
      this.#check();
    }
  }

  snapshot(...ids: string[]): void {
    this.source.send({ kind: 'devices', devices: ids.map((id) => deviceView({ id })) });
    this.source.send({ kind: 'status', status: statusView(this.now) });
  }
}

test('the feed is live with its snapshot and stays so while the status comes every two seconds', () => {
  const world = new World();
  assert.equal(world.store.feed.value.kind, 'connecting');
  world.snapshot('a');
  for (let n = 0; n < 10; n += 1) {
    world.pass(2000);
    world.source.send({ kind: 'status', status: statusView(world.now) });
    assert.equal(world.store.feed.value.kind, 'live');
  }
});

test('a silent connection is stale within five seconds, since the last word', () => {
  const world = new World();
  world.snapshot('a');
  const heard = world.now;
  world.pass(4000);
  assert.equal(world.store.feed.value.kind, 'live');
  world.pass(500);
  assert.deepEqual(world.store.feed.value, { kind: 'stale', since: heard });
});

test('a broken connection is stale at once, not for a blink', () => {
  const world = new World();
  world.snapshot('a');
  world.source.onerror?.({} as Event);
  world.pass(1000);
  assert.equal(world.store.feed.value.kind, 'live');
  world.pass(500);
  assert.equal(world.store.feed.value.kind, 'stale');
});

test('only a whole new snapshot makes it live again, and what was gone is gone', () => {
  const world = new World();
  world.snapshot('a', 'b');
  world.source.onerror?.({} as Event);
  world.pass(2000);
  world.source.send({ kind: 'status', status: statusView(world.now) });
  assert.equal(world.store.feed.value.kind, 'stale');
  world.snapshot('b');
  assert.equal(world.store.feed.value.kind, 'live');
  assert.deepEqual([...world.store.devices.value.keys()], ['b']);
});

test('when the browser gives up, or the connection is dead, another one is opened', () => {
  const world = new World();
  world.snapshot('a');
  world.source.readyState = 2;
  world.pass(2000);
  assert.equal(world.sources.length, 2);
  world.pass(10_000);
  assert.equal(world.sources.length, 3);
  world.sources[0]?.send({ kind: 'devices', devices: [] });
  assert.equal(world.store.feed.value.kind, 'stale', 'an old connection has nothing more to say');
});

test('an event that cannot be read is counted and changes nothing', () => {
  const world = new World();
  world.snapshot('a');
  world.source.sendText('devices', '{"kind":"devices"');
  world.source.sendText('devices', '{"kind":"__proto__"}');
  assert.equal(world.store.unreadable.value, 2);
  assert.equal(world.store.devices.value.size, 1);
});

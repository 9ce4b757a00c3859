import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createHashKey, hashOfLevel, type HashKey } from './level-hash.ts';
import { LevelText } from './level-text.ts';

const text = new LevelText();
const knownKey: HashKey = { low: 0, high: 0 };
const slots = 1024;

function hashOf(name: string, parent: number, key: HashKey): number {
  text.put(name);
  return hashOfLevel(text, 0, text.length, parent, key);
}

/** Of the names that meet in a slot under a key, the slot that most meet in under the other one. */
function mostThatMeet(names: readonly string[], parentOf: (place: number) => number, key: HashKey): number {
  const counts = new Uint32Array(slots);
  for (const [place, name] of names.entries()) {
    const slot = hashOf(name, parentOf(place), key) & (slots - 1);
    counts[slot] = (counts[slot] ?? 0) + 1;
  }
  return Math.max(...counts);
}

/** As many names as asked for that lie in one slot under the key. */
function namesThatMeet(count: number, key: HashKey): string[] {
  const names: string[] = [];
  for (let i = 0; names.length < count; i++) {
    const name = `device${i}`;
    if ((hashOf(name, 1, key) & (slots - 1)) === 0) names.push(name);
  }
  return names;
}

// 300 that are thrown into 1,024 slots by chance: 13 in one come once in 10^15 times.
const chance = 13;

test('names built to meet in one slot under a known key lie apart under one that nobody knows', () => {
  const names = namesThatMeet(300, knownKey);
  assert.equal(
    mostThatMeet(names, () => 1, knownKey),
    300,
    'they do meet',
  );
  for (let i = 0; i < 5; i++) assert.ok(mostThatMeet(names, () => 1, createHashKey()) < chance);
});

test('parents chosen so that one name meets itself lie apart too', () => {
  const parents: number[] = [];
  for (let parent = 1; parents.length < 300; parent++)
    if ((hashOf('name', parent, knownKey) & (slots - 1)) === 0) parents.push(parent);
  const names = parents.map(() => 'name');
  assert.equal(
    mostThatMeet(names, (place) => parents[place]!, knownKey),
    300,
  );
  for (let i = 0; i < 5; i++)
    assert.ok(mostThatMeet(names, (place) => parents[place]!, createHashKey()) < chance);
});

test('whoever has found out that names meet, under the very key, has learnt nothing about names made of them', () => {
  const key = createHashKey();
  const names = namesThatMeet(300, key);
  const made = [
    names.map((name) => `${name}x`),
    names.map((name) => `${name}abcd`),
    names.map((name) => `abcd${name}`),
    names.map((name) => name.toUpperCase()),
  ];
  for (const others of made) assert.ok(mostThatMeet(others, () => 1, key) < chance, others[0]);
  assert.ok(mostThatMeet(names, () => 2, key) < chance, 'the same names under another parent');
});

test('each bit of a name, of its parent and of the key turns half of the bits of the hash', () => {
  let turned = 0;
  let tries = 0;
  const count = (a: number, b: number): void => {
    tries++;
    for (let bits = a ^ b; bits !== 0; bits &= bits - 1) turned++;
  };
  for (let i = 0; i < 500; i++) {
    const key = createHashKey();
    const name = `name${i}`;
    const before = hashOf(name, i, key);
    for (let bit = 0; bit < 32; bit++) {
      count(before, hashOf(name, i ^ (1 << bit), key));
      count(before, hashOf(name, i, { low: key.low ^ (1 << bit), high: key.high }));
      count(before, hashOf(name, i, { low: key.low, high: key.high ^ (1 << bit) }));
    }
    for (let bit = 0; bit < 4; bit++) {
      const last = name.charCodeAt(name.length - 1) ^ (1 << bit);
      count(before, hashOf(name.slice(0, -1) + String.fromCharCode(last), i, key));
    }
    count(before, hashOf(`${name}\0`, i, key));
  }
  // The mean of 50,000 tries strays by an eightieth of a bit.
  assert.ok(Math.abs(turned / tries - 16) < 0.2, `${turned / tries} of 32 bits`);
});

test('each process has a key of its own', () => {
  assert.notDeepEqual(createHashKey(), createHashKey());
});

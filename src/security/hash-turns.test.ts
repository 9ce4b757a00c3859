import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HashTurns, type Applicant } from './index.ts';

const bound = 1024;

/** Lets one after the other have its turn; their names in that order. Those who have to come again are in `refused`. */
class Queue {
  readonly turns = new HashTurns(1);
  readonly order: string[] = [];
  readonly refused: string[] = [];

  constructor() {
    assert.equal(this.turns.enter({ address: '192.0.2.1' }), true);
  }

  add(name: string, applicant: Applicant): void {
    void Promise.resolve(this.turns.enter(applicant)).then((isTurn) => {
      (isTurn ? this.order : this.refused).push(name);
    });
  }

  async serve(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      this.turns.leave();
      await settled();
    }
  }
}

async function settled(): Promise<void> {
  for (let i = 0; i < 5; i++) await Promise.resolve();
}

test('two at most run at once: the other threads are the journal’s', () => {
  const turns = new HashTurns();
  const answers = Array.from({ length: 10 }, () => turns.enter({ address: '192.0.2.1' }));
  const atOnce = answers.filter((answer) => answer === true).length;
  assert.ok(atOnce === 1 || atOnce === 2, `${atOnce}`);
});

test('addresses take turns, whoever came first', async () => {
  const queue = new Queue();
  for (let i = 0; i < 1000; i++) queue.add(`a${i}`, { address: '192.0.2.1' });
  queue.add('b0', { address: '192.0.2.2' });
  queue.add('b1', { address: '192.0.2.2' });
  queue.add('c0', { address: '2001:db8::1' });
  queue.add('c1', { address: '2001:db8::2' });
  await queue.serve(9);
  assert.deepEqual(queue.order, ['a0', 'b0', 'c0', 'a1', 'b1', 'c1', 'a2', 'a3', 'a4']);
});

test('at the bound the newest of the address with the most makes way; that address itself is told to come again', async () => {
  const queue = new Queue();
  for (let i = 0; i < bound; i++) queue.add(`a${i}`, { address: '192.0.2.1' });
  queue.add('too many', { address: '192.0.2.1' });
  await settled();
  assert.deepEqual(queue.refused, ['too many']);
  queue.add('b', { address: '192.0.2.2' });
  await settled();
  assert.deepEqual(queue.refused, ['too many', `a${bound - 1}`]);
  await queue.serve(2);
  assert.deepEqual(queue.order, ['a0', 'b']);
});

test('who waits no longer takes no turn and no place', async () => {
  const queue = new Queue();
  let isThere = true;
  const isWaiting = (): boolean => isThere;
  for (let i = 0; i < bound - 1; i++) queue.add(`gone ${i}`, { address: `192.0.2.${i % 3}`, isWaiting });
  queue.add('stays', { address: '192.0.2.0' });
  isThere = false;
  queue.add('b', { address: '192.0.2.0' });
  await settled();
  assert.equal(queue.refused.length, bound - 1);
  for (let i = 0; i < 10; i++) queue.add(`gone too ${i}`, { address: '192.0.2.9', isWaiting });
  queue.add('last', { address: '192.0.2.9' });
  await queue.serve(4);
  assert.deepEqual(queue.order, ['stays', 'last', 'b']);
  assert.equal(queue.turns.enter({ address: '192.0.2.1' }), true, 'all turns are over');
});

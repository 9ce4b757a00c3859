import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Roster } from './roster.ts';

class Member {
  place = -1;
}

test('holds what a set would hold, whatever comes and goes', () => {
  const steps = fc.array(fc.record({ adds: fc.boolean(), which: fc.nat(9) }), { maxLength: 100 });
  fc.assert(
    fc.property(steps, (all) => {
      const members = Array.from({ length: 10 }, () => new Member());
      const roster = new Roster<Member>();
      const expected = new Set<Member>();
      for (const { adds, which } of all) {
        const member = members[which]!;
        if (!adds) assert.equal(roster.delete(member), expected.delete(member));
        else if (!expected.has(member)) {
          roster.add(member);
          expected.add(member);
        }
        assert.equal(roster.size, expected.size);
        assert.deepEqual(new Set(roster), expected);
      }
    }),
  );
});

test('a member of another roster is not taken out', () => {
  const mine = new Roster<Member>();
  const theirs = new Roster<Member>();
  const member = new Member();
  mine.add(new Member());
  theirs.add(member);
  assert.equal(mine.delete(member), false);
  assert.deepEqual([mine.size, theirs.size], [1, 1]);
});

test('whoever is looked at may leave, and so may others: nobody who stays is left out', () => {
  for (const leaving of [0, 1, 2, 3]) {
    const members = Array.from({ length: 5 }, () => new Member());
    const roster = new Roster<Member>();
    for (const member of members) roster.add(member);
    const seen = new Set<Member>();
    for (const member of roster) {
      seen.add(member);
      roster.delete(member);
      roster.delete(members[leaving]!);
    }
    const missed = members.filter((member) => !seen.has(member));
    assert.ok(missed.every((member) => member === members[leaving]));
    assert.equal(roster.size, 0);
  }
});

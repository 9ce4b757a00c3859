/** The notation that the tables are written in: a wrong expectation has to fail. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { overTcp } from '../../helpers/wire-client.ts';
import { matchesWire, wireBytes } from '../../helpers/wire-notation.ts';
import { playScript } from '../../helpers/wire-script.ts';
import { WireServer } from '../../helpers/wire-server.ts';

const hex = (notation: string): string => wireBytes(notation, new Map([['id', 0x1234]])).toString('hex');
const matches = (notation: string, frame: string): boolean =>
  matchesWire(notation, Buffer.from(frame, 'hex'), new Map());

test('a packet is written byte by byte', () => {
  assert.equal(hex('30[ "t" \'xy\' ]'), '30050001747879');
  assert.equal(hex('82[ $id "é" 01 ]'), '820712340002c3a901');
  assert.equal(hex('10[ 05 [ 21 0001 ] (00 ff) ]'), '10090503210001000200ff');
  assert.equal(hex("30[ 'x'*200 ]"), `30c801${'78'.repeat(200)}`);
  for (const wrong of ['30[', '30 ]', '30( 00 ]', '3', '$unknown', '30[ .. ]', '30[ ... ]', 'xyz'])
    assert.throws(() => hex(wrong), wrong);
});

test('only what is expected matches', () => {
  assert.ok(matches('40[ 0001 ]', '40020001'));
  assert.ok(!matches('40[ 0001 ]', '40020002'));
  assert.ok(!matches('40[ 0001 ]', '4003000100'));
  assert.ok(matches('20[ .. 00 ]', '20020100'));
  assert.ok(!matches('20[ .. 00 ]', '20020101'));
  assert.ok(matches('20[ 00 ... ]', '2003000100'));
  assert.ok(!matches('20[ 01 ... ]', '2003000100'));
  assert.ok(!matches('20[ 00 00 00 00 ... ]', '2003000100'));
  const names = new Map<string, number>();
  assert.ok(matchesWire('40[ $a ]', Buffer.from('40020005', 'hex'), names));
  assert.equal(names.get('a'), 5);
  assert.ok(!matchesWire('40[ $a ]', Buffer.from('40020006', 'hex'), names));
});

for (const [what, script] of [
  ['a packet where there should be none', 'a > 82[ 0001 "t" 00 ]\na < nothing'],
  ['another packet', 'a > 82[ 0001 "t" 00 ]\na < 90[ 0001 01 ]'],
  ['a packet where the connection should end', 'a > c0 00\na < closed'],
  ['the end where there should be a packet', 'a > 00 00\na < d0 00'],
  ['a packet that nobody looks at', 'a > 82[ 0001 "t" 00 ]'],
  ['a line that is no step', 'a says hello'],
] as const) {
  test(`a script fails at ${what}`, async () => {
    await using server = await new WireServer(overTcp).start();
    await assert.rejects(playScript(`a connects\n${script}`, { transport: overTcp, server, version: 4 }));
  });
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wireCases } from '../wire-case.test.ts';
import { writeAck } from '../index.ts';

const old = [3, 4] as const;
const v5 = [5] as const;

const types = [
  { name: 'PUBACK', first: '40', type: 4, refusal: 0x87, wrong: '92', id: 'MQTT-3.4.2-1' },
  { name: 'PUBREC', first: '50', type: 5, refusal: 0x97, wrong: '04', id: 'MQTT-3.5.2-1' },
  { name: 'PUBREL', first: '62', type: 6, refusal: 0x92, wrong: '87', id: 'MQTT-3.6.2-1' },
  { name: 'PUBCOMP', first: '70', type: 7, refusal: 0x92, wrong: '10', id: 'MQTT-3.7.2-1' },
] as const;

for (const { name, first, type, refusal, wrong, id } of types) {
  const refused = refusal.toString(16);
  const packet = { type, packetId: 0x1234, reasonCode: 0, properties: {} };
  wireCases([
    { name, wire: `${first} 02 12 34`, packet },
    {
      name: `${name} with a reason code`,
      wire: `${first} 03 12 34 ${refused}`,
      versions: v5,
      packet: { ...packet, reasonCode: refusal },
    },
    {
      name: `${name} with success spelled out`,
      wire: `${first} 03 12 34 00`,
      versions: v5,
      packet,
      canonical: false,
    },
    {
      name: `${name} with empty properties`,
      wire: `${first} 04 12 34 00 00`,
      versions: v5,
      packet,
      canonical: false,
    },
    {
      name: `${name} with every property`,
      wire: `${first} * 12 34 ${refused} {1f "why" 26 "n" "v" 26 "n" "w"}`,
      versions: v5,
      packet: {
        ...packet,
        reasonCode: refusal,
        properties: {
          reasonString: 'why',
          userProperties: [
            ['n', 'v'],
            ['n', 'w'],
          ],
        },
      },
    },
    {
      name: `${name} with packet identifier 0 [MQTT-2.2.1-3]`,
      wire: `${first} 02 00 00`,
      fault: 'ProtocolError',
    },
    { name: `${name} cut short`, wire: `${first} 01 12`, fault: 'MalformedPacket' },
    { name: `${name} without anything`, wire: `${first} 00`, fault: 'MalformedPacket' },
    {
      name: `${name} with bytes after its end`,
      wire: `${first} 03 12 34 00`,
      versions: old,
      fault: 'MalformedPacket',
    },
    {
      name: `${name} with bytes after its end`,
      wire: `${first} 05 12 34 00 00 00`,
      versions: v5,
      fault: 'MalformedPacket',
    },
    {
      name: `${name} with a reason code that is not its own [${id}]`,
      wire: `${first} 03 12 34 ${wrong}`,
      versions: v5,
      fault: 'ProtocolError',
    },
    {
      name: `${name} with a reason string twice`,
      wire: `${first} * 12 34 00 {1f "" 1f ""}`,
      versions: v5,
      fault: 'ProtocolError',
    },
    {
      name: `${name} with a property of CONNACK`,
      wire: `${first} * 12 34 00 {12 "x"}`,
      versions: v5,
      fault: 'MalformedPacket',
    },
    {
      name: `${name} with properties that run over`,
      wire: `${first} * 12 34 00 03 26 00`,
      versions: v5,
      fault: 'MalformedPacket',
    },
    {
      name: `${name} with a padded remaining length [MQTT-1.5.5-1]`,
      wire: `${first} 82 00 12 34`,
      versions: v5,
      fault: 'MalformedPacket',
    },
  ]);
  const flagged = (Number.parseInt(first, 16) ^ 0x02).toString(16);
  wireCases([
    {
      name: `${name} with wrong header flags [MQTT-2.1.3-1] [MQTT-3.6.1-1]`,
      wire: `${flagged} 02 12 34`,
      fault: 'MalformedPacket',
    },
  ]);
}

test('an acknowledgement takes four bytes, or five with a reason code that MQTT 5 can carry', () => {
  const into = Buffer.alloc(8, 0xee);
  assert.equal(writeAck(into, 1, 4, 0x1234, 0, 5), 5);
  assert.equal(into.toString('hex'), 'ee40021234eeeeee');
  assert.equal(writeAck(into, 1, 6, 0x1234, 0x92, 5), 6);
  assert.equal(into.toString('hex'), 'ee6203123492eeee');
  assert.equal(writeAck(into, 1, 5, 1, 0x87, 4), 5);
  assert.equal(into.toString('hex'), 'ee5002000192eeee');
});

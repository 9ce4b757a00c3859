import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { anyPacket } from './arbitraries.test.ts';
import { encodePacket, FrameReader, ReasonCode, type FrameSink } from './index.ts';

/** Notes each frame in hexadecimal, and does with it what `answer` says. */
class Notes implements FrameSink {
  readonly frames: string[] = [];
  readonly sources: Buffer[] = [];
  answer: (frame: string) => ReasonCode = () => ReasonCode.Success;

  onFrame(bytes: Buffer, start: number, bodyStart: number, end: number): ReasonCode {
    const frame = bytes.toString('hex', start, end);
    assert.equal(bodyStart - start, headerLength(bytes.subarray(start, end)), 'bodyStart');
    this.frames.push(frame);
    this.sources.push(bytes);
    return this.answer(frame);
  }
}

function headerLength(frame: Buffer): number {
  let at = 1;
  while (frame[at]! > 127) at += 1;
  return at + 1;
}

/** A PUBLISH at QoS 0 (before MQTT 5) with so many bytes of payload, all `fill`. */
function publish(size: number, fill = 0x41): Buffer {
  const payload = Buffer.alloc(size, fill);
  return encodePacket(
    { type: 3, topic: 'a', payload, qos: 0, retain: false, dup: false, packetId: 0, properties: null },
    4,
  );
}

const frames = [
  publish(0),
  Buffer.from('c000', 'hex'),
  publish(200, 1),
  publish(20_000, 2),
  Buffer.from('40020001', 'hex'),
  publish(130, 3),
];
const stream = Buffer.concat(frames);
const hex = frames.map((frame) => frame.toString('hex'));

test('whole frames are delivered from the chunk itself and nothing is held', () => {
  const notes = new Notes();
  const reader = new FrameReader(notes, 100_000);
  assert.equal(reader.push(stream), 0);
  assert.deepEqual(notes.frames, hex);
  assert.ok(notes.sources.every((source) => source === stream));
  assert.equal(reader.heldBytes, 0);
});

test('a stream cut anywhere gives the same frames', () => {
  const short = Buffer.concat([frames[0]!, frames[1]!, frames[2]!, frames[5]!, frames[4]!]);
  const wanted = [hex[0], hex[1], hex[2], hex[5], hex[4]];
  for (let cut = 0; cut <= short.length; cut++) {
    const notes = new Notes();
    const reader = new FrameReader(notes, 100_000);
    assert.equal(reader.push(short.subarray(0, cut)), 0);
    assert.equal(reader.push(short.subarray(cut)), 0);
    assert.deepEqual(notes.frames, wanted, `cut at ${cut}`);
    assert.equal(reader.heldBytes, 0);
  }
});

test('a stream that comes byte by byte gives the same frames, and releases what it held', () => {
  const notes = new Notes();
  const reader = new FrameReader(notes, 100_000);
  for (const byte of stream) assert.equal(reader.push(Buffer.from([byte])), 0);
  assert.deepEqual(notes.frames, hex);
  assert.equal(reader.heldBytes, 0);
});

test('any packets, cut into any chunks, come out the same', () => {
  fc.assert(
    fc.property(
      fc.array(anyPacket(5), { maxLength: 8 }),
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
      (packets, sizes) => {
        const encoded = packets.map((packet) => encodePacket(packet, 5));
        const bytes = Buffer.concat(encoded);
        const notes = new Notes();
        const reader = new FrameReader(notes, 1_000_000);
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const size = sizes[i % sizes.length]!;
          assert.equal(reader.push(Buffer.from(bytes.subarray(at, at + size))), 0);
          at += size;
        }
        assert.deepEqual(
          notes.frames,
          encoded.map((frame) => frame.toString('hex')),
        );
      },
    ),
    { numRuns: 300 },
  );
});

test('a length field allocates nothing: what is held grows with what has arrived', () => {
  const notes = new Notes();
  const reader = new FrameReader(notes, 300_000_000);
  assert.equal(reader.push(Buffer.from('30ffffff7f', 'hex')), 0);
  assert.ok(reader.heldBytes <= 256, `${reader.heldBytes} bytes held`);
  let arrived = 5;
  for (let i = 0; i < 100; i++) {
    assert.equal(reader.push(Buffer.alloc(1000)), 0);
    arrived += 1000;
    assert.ok(reader.heldBytes <= 2 * arrived, `${reader.heldBytes} bytes held of ${arrived}`);
  }
  assert.deepEqual(notes.frames, []);
});

test('what is held is never more than the frame needs, once its size is known', () => {
  const frame = publish(1000);
  const reader = new FrameReader(new Notes(), 100_000);
  reader.push(frame.subarray(0, 900));
  assert.ok(reader.heldBytes <= frame.length);
});

test('a packet that is too large is refused by its header', () => {
  const notes = new Notes();
  const reader = new FrameReader(notes, 4096);
  assert.equal(
    reader.push(Buffer.concat([publish(1), Buffer.from('30fe1f', 'hex')])),
    ReasonCode.PacketTooLarge,
  );
  assert.deepEqual(notes.frames, [publish(1).toString('hex')]);
  assert.equal(reader.heldBytes, 0);
  const cut = new FrameReader(notes, 4096);
  assert.equal(cut.push(Buffer.from('30fe', 'hex')), 0);
  assert.equal(cut.push(Buffer.from('1f', 'hex')), ReasonCode.PacketTooLarge);
});

test('the maximum counts the whole packet, header included [MQTT-3.1.2-24]', () => {
  const frame = publish(1000);
  assert.equal(new FrameReader(new Notes(), frame.length).push(frame), 0);
  assert.equal(new FrameReader(new Notes(), frame.length - 1).push(frame), ReasonCode.PacketTooLarge);
});

test('the maximum can change between packets of one chunk', () => {
  const notes = new Notes();
  const reader = new FrameReader(notes, 64);
  notes.answer = () => {
    reader.maximumPacketSize = 100_000;
    return ReasonCode.Success;
  };
  assert.equal(reader.push(stream), 0);
  assert.deepEqual(notes.frames, hex);
});

test('a length of five bytes is malformed, whole or cut [MQTT-1.5.5-1]', () => {
  const wrong = Buffer.from('30ffffffff01', 'hex');
  for (let cut = 0; cut <= wrong.length; cut++) {
    const reader = new FrameReader(new Notes(), 300_000_000);
    const first = reader.push(wrong.subarray(0, cut));
    assert.equal(first || reader.push(wrong.subarray(cut)), ReasonCode.MalformedPacket, `cut at ${cut}`);
  }
});

test('what the sink returns stops the reader for good', () => {
  const notes = new Notes();
  notes.answer = (frame) => (frame === 'c000' ? ReasonCode.ProtocolError : ReasonCode.Success);
  const reader = new FrameReader(notes, 100_000);
  assert.equal(reader.push(stream), ReasonCode.ProtocolError);
  assert.equal(reader.push(stream), ReasonCode.ProtocolError);
  assert.equal(reader.resume(), ReasonCode.ProtocolError);
  assert.deepEqual(notes.frames, hex.slice(0, 2));
  assert.equal(reader.heldBytes, 0);
});

test('suspended, nothing is delivered; resumed, everything comes in order', () => {
  const notes = new Notes();
  const reader = new FrameReader(notes, 100_000);
  notes.answer = () => {
    reader.suspend();
    return ReasonCode.Success;
  };
  const chunk = Buffer.from(stream);
  assert.equal(reader.push(chunk.subarray(0, 150)), 0);
  chunk.fill(0, 0, 150);
  assert.equal(reader.push(chunk.subarray(150)), 0);
  chunk.fill(0);
  for (let delivered = 1; delivered <= hex.length; delivered++) {
    assert.deepEqual(notes.frames, hex.slice(0, delivered));
    assert.equal(reader.resume(), 0);
  }
  assert.equal(reader.heldBytes, 0);
  assert.equal(reader.push(Buffer.from('d000', 'hex')), 0);
  assert.equal(notes.frames.at(-1), 'd000');
});

test('suspended inside a frame that was gathered, the rest of the chunk is kept', () => {
  const notes = new Notes();
  const reader = new FrameReader(notes, 100_000);
  notes.answer = () => {
    reader.suspend();
    return ReasonCode.Success;
  };
  reader.push(stream.subarray(0, 1));
  reader.push(stream.subarray(1));
  assert.deepEqual(notes.frames, hex.slice(0, 1));
  notes.answer = () => ReasonCode.Success;
  assert.equal(reader.resume(), 0);
  assert.deepEqual(notes.frames, hex);
});

test('a frame cut while suspended is completed after', () => {
  const notes = new Notes();
  const reader = new FrameReader(notes, 100_000);
  reader.suspend();
  reader.push(stream.subarray(0, 1000));
  assert.equal(reader.resume(), 0);
  assert.deepEqual(notes.frames, hex.slice(0, 3));
  assert.equal(reader.push(stream.subarray(1000)), 0);
  assert.deepEqual(notes.frames, hex);
});

test('what comes while a backlog is worked off is added behind it', () => {
  const notes = new Notes();
  const reader = new FrameReader(notes, 100_000);
  notes.answer = () => {
    reader.suspend();
    return ReasonCode.Success;
  };
  const wanted: string[] = [];
  for (let i = 0; i < 200; i++) {
    const pair = [publish(i, i), publish(200 - i, i)];
    wanted.push(...pair.map((frame) => frame.toString('hex')));
    assert.equal(reader.push(Buffer.concat(pair)), 0);
    assert.equal(reader.resume(), 0);
  }
  while (notes.frames.length < wanted.length) assert.equal(reader.resume(), 0);
  assert.deepEqual(notes.frames, wanted);
  assert.equal(reader.heldBytes, 0);
});

test('only what was gathered for one frame is handed over, and what it has outgrown is given back', () => {
  const taken: Buffer[] = [];
  const given: Buffer[] = [];
  const memory = {
    take: (length: number) => {
      const bytes = Buffer.alloc(length);
      taken.push(bytes);
      return bytes;
    },
    give: (bytes: Buffer) => {
      if (bytes.length > 0) given.push(bytes);
    },
  };
  const owned: [string, boolean][] = [];
  const reader: FrameReader = new FrameReader(
    {
      onFrame: (bytes, start, _body, end) => {
        owned.push([bytes.toString('hex', start, end), reader.handsOver]);
        if (reader.handsOver) assert.equal(bytes, taken.at(-1));
        return ReasonCode.Success;
      },
    },
    100_000,
    memory,
  );
  const large = publish(60_000, 5);
  const all = Buffer.concat([frames[0]!, large, frames[1]!]);
  for (let at = 0; at < all.length; at += 20_000) reader.push(all.subarray(at, at + 20_000));
  assert.deepEqual(owned, [
    [hex[0], false],
    [large.toString('hex'), true],
    [hex[1], false],
  ]);
  assert.equal(reader.handsOver, false);
  assert.deepEqual(given, taken.slice(0, -1));
});

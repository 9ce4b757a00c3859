import type { Direction, LinkWatch } from './link-proxy.ts';

/** Where a link is cut: before or behind the first packet of a type that passes in a direction. */
export interface CutPoint {
  /** Type in the fixed header (MQTT 5, 2.1.2). */
  readonly type: number;
  readonly direction: Direction;
  readonly side: 'before' | 'behind';
}

/** A watch that cuts a plain MQTT link once, at a point of its packets. `onCut` is told. */
export function cutAt(point: CutPoint, onCut: () => void): LinkWatch {
  const readers = { up: new PacketSkipper(), down: new PacketSkipper() };
  let isDone = false;
  return (chunk, direction) => {
    if (isDone) return null;
    const passed = readers[direction].find(chunk, direction === point.direction ? point : null);
    if (passed === null) return null;
    isDone = true;
    onCut();
    return { passed };
  };
}

/** Follows the packets of one direction through chunks that are cut anywhere. */
class PacketSkipper {
  /** The packet that is begun, as far as its fixed header goes. */
  #header: number[] = [];
  /** Bytes of its body that are still to come; -1 = the header is not whole. */
  #rest = -1;

  /** Bytes of the chunk in front of the cut; `null` = it is not in this chunk. */
  find(chunk: Buffer, point: CutPoint | null): number | null {
    let at = 0;
    while (at < chunk.length) {
      if (this.#rest < 0) {
        this.#header.push(chunk[at++] ?? 0);
        this.#rest = bodyLength(this.#header);
        if (this.#rest < 0) continue;
        if (this.#isMeant(point) && point?.side === 'before') return Math.max(0, at - this.#header.length);
      }
      const step = Math.min(this.#rest, chunk.length - at);
      at += step;
      this.#rest -= step;
      if (this.#rest > 0) break;
      const isMeant = this.#isMeant(point);
      this.#header = [];
      this.#rest = -1;
      if (isMeant) return at;
    }
    return null;
  }

  #isMeant(point: CutPoint | null): boolean {
    return point !== null && (this.#header[0] ?? 0) >> 4 === point.type;
  }
}

/** The remaining length of a fixed header; -1 while it is not whole. */
function bodyLength(header: readonly number[]): number {
  let length = 0;
  for (let index = 1; index < header.length; index++) {
    const byte = header[index] ?? 0;
    length += (byte & 0x7f) * 128 ** (index - 1);
    if (byte < 0x80) return length;
  }
  return -1;
}

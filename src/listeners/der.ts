/** The DER elements that follow one another in `bytes`, type and length before each. What is cut off ends early. */
export function elementsOf(bytes: Buffer): Buffer[] {
  const elements: Buffer[] = [];
  for (let at = 0; at + 2 <= bytes.length;) {
    const end = at + headerLength(bytes, at) + contentLength(bytes, at);
    elements.push(bytes.subarray(at, end));
    at = end;
  }
  return elements;
}

/** What stands in an element behind its type and length. */
export function contentOf(element: Buffer | undefined): Buffer {
  return element === undefined ? Buffer.alloc(0) : element.subarray(headerLength(element, 0));
}

function headerLength(bytes: Buffer, at: number): number {
  const first = bytes[at + 1] ?? 0;
  return 2 + (first < 0x80 ? 0 : first & 0x7f);
}

function contentLength(bytes: Buffer, at: number): number {
  const first = bytes[at + 1] ?? 0;
  if (first < 0x80) return first;
  const size = Math.min(first & 0x7f, 4, Math.max(0, bytes.length - at - 2));
  return size === 0 ? 0 : bytes.readUIntBE(at + 2, size);
}

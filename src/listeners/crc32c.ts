/** CRC-32C, reflected (RFC 3720, B.4). */
const polynomial = 0x82f63b78;

/** The CRC-32C of `bytes`. Bit by bit: it is taken of one small header per connection. */
export function crc32c(bytes: Uint8Array): number {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ ((sum & 1) === 0 ? 0 : polynomial);
  }
  return (sum ^ 0xffffffff) >>> 0;
}

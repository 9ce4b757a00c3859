import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

/** Measured: of a connection, in the memory of the system's library, and of TLS, in OpenSSL's. */
const socketBytes = 6 * 1024;
const tlsBytes = 46 * 1024;

/** TLS keeps what it once needed for its largest write until the connection ends: a chunk, and about the write again. */
const smallWrite = 1024;
const writeChunk = 16 * 1024;
const largestKept = 64 * 1024;

/**
 * Memory of a socket that the process does not count. `largest`: bytes of its largest write. Over TLS what waits is held
 * encrypted as well.
 */
export function uncountedBytes(socket: Socket, largest: number): number {
  if (!(socket instanceof TLSSocket)) return socketBytes;
  const waiting = socket.writableLength;
  const most = Math.max(largest, waiting);
  if (most <= smallWrite) return tlsBytes + waiting;
  return tlsBytes + writeChunk + Math.ceil(Math.min(most, largestKept) * 1.1) + waiting;
}

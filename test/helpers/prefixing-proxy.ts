import { createConnection, createServer, type AddressInfo, type Socket } from 'node:net';

/** A proxy of TCP connections that puts a header before what its client says: in one piece with it, or alone. */
export interface PrefixingProxy {
  readonly port: number;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Opens a proxy on a free port of this machine. `headerOf` is asked for each connection. */
export async function openPrefixingProxy(
  target: { readonly port: number },
  headerOf: (client: Socket) => Buffer,
  { isOnePiece = true } = {},
): Promise<PrefixingProxy> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const onward = createConnection({ host: '127.0.0.1', port: target.port, noDelay: true });
    for (const [socket, other] of [
      [client, onward],
      [onward, client],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
    if (!isOnePiece) onward.write(headerOf(client));
    client.once('data', (first) => {
      onward.write(isOnePiece ? Buffer.concat([headerOf(client), first]) : first);
      client.pipe(onward);
    });
    onward.pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

import { createServer } from 'node:net';

/** The loopback address that stands for a device: the last three numbers of its own, behind 127. */
export function loopbackAddressOf(deviceAddress: string): string | undefined {
  const match = /^\d{1,3}\.(\d{1,3}\.\d{1,3}\.\d{1,3})$/.exec(deviceAddress);
  if (match === null) return undefined;
  const address = `127.${match[1]}`;
  return address.split('.').every((part) => Number(part) <= 255) ? address : undefined;
}

/** True for an address or name of this machine itself. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
}

/** Can a socket be bound to this address? Linux has all of 127.0.0.0/8, other systems only 127.0.0.1. */
export function hasLocalAddress(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host: address, port: 0 }, () => server.close(() => resolve(true)));
  });
}

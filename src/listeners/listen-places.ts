import { lookup } from 'node:dns/promises';
import { isIP, type ListenOptions } from 'node:net';
import { networkInterfaces } from 'node:os';
import { DavylampError } from '#base';
import type { ListenerConfig } from '#config';

/** One place to listen on. */
export interface ListenPlace {
  readonly options: ListenOptions;
  /** For people: `127.0.0.1:1883`. */
  readonly where: string;
}

/** Names for all addresses of this machine. */
const wildcards = new Set(['', '*', '0.0.0.0', '::']);

/**
 * Where a listener with address and port listens: at an address, at each address of a name, or at each address of a
 * network interface. Rejects with `LISTEN_FAILED`.
 */
export async function listenPlaces(config: ListenerConfig): Promise<readonly ListenPlace[]> {
  const { networkInterface, ipVersion, address, port } = config;
  if (networkInterface !== undefined) {
    return interfaceAddresses(config, networkInterface).map((host) => placeOf(host, port));
  }
  if (wildcards.has(address) && ipVersion === 4) return [placeOf('0.0.0.0', port)];
  if (wildcards.has(address) && ipVersion === 6) return [placeOf('::', port, { ipv6Only: true })];
  // Without a host Node takes IPv6 and IPv4 where there are both, and what there is otherwise.
  if (address === '' || address === '*') return [{ options: { port }, where: `all addresses, port ${port}` }];
  if (isIP(address) === 0) return (await addressesOf(config)).map((host) => placeOf(host, port));
  if (ipVersion !== undefined && isIP(address) !== ipVersion) throw fault(config, noAddress(config));
  return [placeOf(address, port)];
}

function placeOf(host: string, port: number, more: ListenOptions = {}): ListenPlace {
  const shown = isIP(host) === 6 ? `[${host}]` : host;
  return { options: { host, port, ...more }, where: `${shown}:${port}` };
}

/** All addresses of a name; those of IPv6 only where this machine has any. */
async function addressesOf(config: ListenerConfig): Promise<readonly string[]> {
  let found;
  try {
    found = await lookup(config.address, { all: true, family: config.ipVersion ?? 0 });
  } catch (error) {
    const isUnknown = config.ipVersion === undefined;
    throw fault(config, isUnknown ? 'the host name is not known' : noAddress(config), error);
  }
  const hasIpv6 = Object.values(networkInterfaces()).some((list) =>
    list?.some((one) => one.family === 'IPv6'),
  );
  const usable = found.filter(({ family }) => family === 4 || hasIpv6);
  return [...new Set((usable.length > 0 ? usable : found).map(({ address }) => address))];
}

function noAddress({ address, ipVersion }: ListenerConfig): string {
  return `${address} has no IPv${ipVersion} address`;
}

function fault({ name, address }: ListenerConfig, why: string, cause?: unknown): DavylampError {
  return new DavylampError('LISTEN_FAILED', `listener ${name}: cannot listen on ${address}: ${why}`, {
    cause,
  });
}

function interfaceAddresses(config: ListenerConfig, wanted: string): readonly string[] {
  const { name, address, ipVersion } = config;
  const unusable = (why: string): DavylampError => {
    const what = `cannot listen on network interface ${wanted}`;
    return new DavylampError('LISTEN_FAILED', `listener ${name}: ${what}: ${why}`);
  };
  const all = networkInterfaces();
  const found = all[wanted];
  if (found === undefined) {
    throw unusable(`there is none of this name with an address; there are ${Object.keys(all).join(', ')}`);
  }
  const addresses = found
    .filter(({ family }) => ipVersion === undefined || family === `IPv${ipVersion}`)
    // An address that is good for one link only needs the link's name.
    .map((one) => (one.family === 'IPv6' && one.scopeid !== 0 ? `${one.address}%${wanted}` : one.address));
  if (addresses.length === 0) throw unusable(`it has no IPv${ipVersion} address`);
  if (wildcards.has(address)) return addresses;
  const own = addresses.find((one) => one === address || one.split('%', 1)[0] === address);
  if (own === undefined) throw unusable(`${address} is not one of its addresses (${addresses.join(', ')})`);
  return [own];
}

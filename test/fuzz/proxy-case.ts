import { isDeepStrictEqual } from 'node:util';
import { readProxyHeader, type ProxyHeaderResult } from '../../src/listeners/proxy-header.ts';
import { binaryProxyHeader, proxyTlsValue } from '../helpers/proxy-headers.ts';
import { mutateBytes } from './packet-tree.ts';
import { Random } from './random.ts';

const addresses = [
  '192.0.2.5',
  '0.0.0.0',
  '256.0.0.1',
  '2001:db8::1',
  '::ffff:192.0.2.5',
  '',
  '1',
  'a'.repeat(90),
];
const ports = ['0', '1883', '65535', '65536', '-1', '01', ''];

/** A header of the PROXY protocol, mostly spoiled, and what a client says behind it. */
function someHeader(random: Random, version: 1 | 2): Buffer {
  const behind = random.bytes(random.below(20));
  if (version === 1) {
    const family = random.pick(['TCP4', 'TCP4', 'TCP6', 'UNKNOWN', 'UDP4', '']);
    const words = [
      'PROXY',
      family,
      random.pick(addresses),
      random.pick(addresses),
      random.pick(ports),
      random.pick(ports),
    ];
    const line = `${words.slice(0, random.oneIn(8) ? random.below(7) : 6).join(' ')}${random.oneIn(8) ? '\n' : '\r\n'}`;
    return Buffer.concat([Buffer.from(line), behind]);
  }
  const commonName = random.pick(['client', '', '\0', 'x'.repeat(300), Buffer.from('ff', 'hex')]);
  const tls = proxyTlsValue({ commonName, flags: random.below(8), verify: random.below(2) });
  const header = binaryProxyHeader({
    command: random.pick([0, 1, 1, 1, 2]),
    family: random.pick([0x11, 0x11, 0x21, 0x31, 0x00, 0x12]),
    addresses: random.bytes(random.pick([0, 11, 12, 12, 36, 216])),
    values: Buffer.concat(
      Array.from({ length: random.below(3) }, () => (random.oneIn(3) ? random.bytes(random.below(12)) : tls)),
    ),
  });
  return Buffer.concat([header, behind]);
}

/**
 * Reads headers as they come, in pieces: nothing is thrown, and what is decided about the beginning does not change with
 * what follows. What goes wrong; `null` = nothing.
 */
export function playProxyCases(seed: number, cases: number): string | null {
  const random = new Random(seed);
  for (let count = 0; count < cases; count++) {
    const version = random.pick([1, 2] as const);
    let bytes = someHeader(random, version);
    for (let spoiled = random.below(3); spoiled > 0; spoiled--) bytes = mutateBytes(random, bytes);
    const fault = faultOf(version, bytes);
    if (fault !== null) return `PROXY ${version}: ${fault}: ${bytes.toString('hex')}`;
  }
  return null;
}

function faultOf(version: 1 | 2, bytes: Buffer): string | null {
  let decided: ProxyHeaderResult | null = null;
  try {
    for (let length = 0; length <= bytes.length; length++) {
      const result = readProxyHeader(version, bytes.subarray(0, length));
      if (result.kind === 'done' && result.length > length) return 'it is longer than what has come';
      if (decided !== null && !isDeepStrictEqual(result, decided))
        return `decided anew after ${length} bytes`;
      if (result.kind !== 'more') decided = result;
    }
  } catch (error) {
    return String(error);
  }
  return null;
}

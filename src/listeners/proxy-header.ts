import { isIP } from 'node:net';
import { crc32c } from './crc32c.ts';
import { plainAddress } from './peer.ts';

/** Who a proxy says the client is (PROXY protocol, versions 1 and 2). */
export interface ProxyHeader {
  /** `null`: the connection is the proxy's own (a health check), or it does not know. */
  readonly client: { readonly address: string; readonly port: number } | null;
  /** Version 2: how the client came to the proxy; `null` = the proxy says nothing about TLS. */
  readonly tls: ProxyTls | null;
  /** The proxy speaks for itself (version 2, LOCAL). */
  readonly isLocal: boolean;
}

interface ProxyTls {
  /** The client came by TLS. */
  readonly isSecure: boolean;
  /** Of its certificate, which the proxy has verified; `null` without one. */
  readonly commonName: string | null;
}

export type ProxyHeaderResult =
  | { readonly kind: 'more' }
  | { readonly kind: 'bad'; readonly reason: string }
  | { readonly kind: 'done'; readonly header: ProxyHeader; readonly length: number };

/** Longest line of version 1, with its end (PROXY protocol, 2.1). */
const longestLine = 107;

/** Version 2 allows 65,535 bytes; what proxies send with a certificate in it fits in 4 kB. */
const longestBinary = 8192;

const signature = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
const binaryStart = 16;
const more = { kind: 'more' } as const;
const unknown: ProxyHeader = { client: null, tls: null, isLocal: false };

/** Reads the header at the beginning of `bytes`, of this version and no other. Whatever the bytes, nothing is thrown. */
export function readProxyHeader(version: 1 | 2, bytes: Buffer): ProxyHeaderResult {
  return version === 1 ? readLine(bytes) : readBinary(bytes);
}

function bad(reason: string): ProxyHeaderResult {
  return { kind: 'bad', reason };
}

/** Version 1: `PROXY TCP4 192.0.2.5 198.51.100.1 6275 1883\r\n`. */
function readLine(bytes: Buffer): ProxyHeaderResult {
  const start = 'PROXY ';
  const head = bytes.toString('latin1', 0, Math.min(bytes.length, longestLine));
  if (!head.startsWith(start.slice(0, head.length))) return bad('it does not begin with PROXY');
  const end = head.indexOf('\r\n');
  if (end === -1) return bytes.length >= longestLine ? bad('the line has no end') : more;
  const [, family, source = '', target = '', sourcePort = '', targetPort = '', ...rest] = head
    .slice(0, end)
    .split(' ');
  const length = end + 2;
  if (family === 'UNKNOWN') return { kind: 'done', header: unknown, length };
  if (family !== 'TCP4' && family !== 'TCP6') return bad('the protocol is none of TCP4, TCP6, UNKNOWN');
  const ipVersion = family === 'TCP4' ? 4 : 6;
  if (rest.length > 0 || isIP(source) !== ipVersion || isIP(target) !== ipVersion)
    return bad('the addresses are not valid');
  if (!isPort(sourcePort) || !isPort(targetPort)) return bad('the ports are not valid');
  const client = { address: plainAddress(source), port: Number(sourcePort) };
  return { kind: 'done', header: { client, tls: null, isLocal: false }, length };
}

function isPort(text: string): boolean {
  return /^(?:0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535;
}

/** Version 2: signature, version and command, family and transport, length, addresses, then types with values. */
function readBinary(bytes: Buffer): ProxyHeaderResult {
  const seen = Math.min(bytes.length, signature.length);
  if (bytes.compare(signature, 0, seen, 0, seen) !== 0)
    return bad('it does not begin with the signature of version 2');
  if (bytes.length < binaryStart) return more;
  const versionAndCommand = bytes[12]!;
  const length = binaryStart + bytes.readUInt16BE(14);
  if (versionAndCommand >> 4 !== 2) return bad('the version is not 2');
  const command = versionAndCommand & 0x0f;
  if (command > 1) return bad('the command is neither LOCAL nor PROXY');
  if (length > longestBinary) return bad(`it is longer than ${longestBinary} bytes`);
  if (bytes.length < length) return more;
  const whole = bytes.subarray(0, length);
  // What else a health check says is to be skipped (PROXY protocol, 2.2).
  if (command === 0) return { kind: 'done', header: { ...unknown, isLocal: true }, length };
  return readProxied(whole);
}

/** Family and transport of version 2 → bytes of its address block. */
const addressLengths = new Map([
  [0x00, 0], // unknown
  [0x11, 12], // TCP over IPv4
  [0x21, 36], // TCP over IPv6
  [0x31, 216], // Unix stream
]);

function readProxied(bytes: Buffer): ProxyHeaderResult {
  const family = bytes[13]!;
  const addressLength = addressLengths.get(family);
  if (addressLength === undefined) return bad('the address family is none of TCP4, TCP6, Unix');
  const valuesAt = binaryStart + addressLength;
  if (bytes.length < valuesAt) return bad('the addresses are cut off');
  const tls = readValues(bytes, valuesAt);
  if (typeof tls === 'string') return bad(tls);
  const header = { client: clientOf(bytes, family), tls, isLocal: false };
  return { kind: 'done', header, length: bytes.length };
}

function clientOf(bytes: Buffer, family: number): ProxyHeader['client'] {
  if (family === 0x11) {
    const address = bytes.subarray(binaryStart, binaryStart + 4).join('.');
    return { address, port: bytes.readUInt16BE(binaryStart + 8) };
  }
  if (family === 0x21) {
    return { address: addressOf(bytes, binaryStart), port: bytes.readUInt16BE(binaryStart + 32) };
  }
  return family === 0x31 ? { address: 'local', port: 0 } : null;
}

const mappedPrefix = Buffer.from('00000000000000000000ffff', 'hex');

/** IPv6 as the system writes it: the longest run of zeros shortened; an IPv4 address in it as such. */
function addressOf(bytes: Buffer, at: number): string {
  if (bytes.compare(mappedPrefix, 0, 12, at, at + 12) === 0)
    return bytes.subarray(at + 12, at + 16).join('.');
  const groups: string[] = [];
  for (let i = 0; i < 16; i += 2) groups.push(bytes.readUInt16BE(at + i).toString(16));
  const text = groups.join(':');
  const host = URL.parse(`mqtt://[${text}]`)?.hostname;
  return host === undefined ? text : host.slice(1, -1);
}

const typeCrc32c = 0x03;
const typeSsl = 0x20;
const typeCommonName = 0x22;
const clientSsl = 0x01;
const clientCertificates = 0x06;

/** Goes through types, lengths and values; a text says what is wrong with them. */
function readValues(bytes: Buffer, start: number): ProxyTls | null | string {
  let tls: ProxyTls | null = null;
  for (let at = start; at < bytes.length;) {
    const end = endOfValue(bytes, at, bytes.length);
    if (end === -1) return 'a value is cut off';
    const value = bytes.subarray(at + 3, end);
    if (bytes[at] === typeCrc32c && !hasRightSum(bytes, at + 3, value)) return 'the checksum is wrong';
    if (bytes[at] === typeSsl) {
      const read = readTls(value);
      if (typeof read === 'string') return read;
      tls = read;
    }
    at = end;
  }
  return tls;
}

/** Where the value whose type stands at `at` ends; −1 = beyond `limit`. */
function endOfValue(bytes: Buffer, at: number, limit: number): number {
  if (at + 3 > limit) return -1;
  const end = at + 3 + bytes.readUInt16BE(at + 1);
  return end > limit ? -1 : end;
}

/** The sum is over the whole header, with zeros where the sum itself stands. */
function hasRightSum(bytes: Buffer, at: number, value: Buffer): boolean {
  if (value.length !== 4) return false;
  const copy = Buffer.from(bytes);
  copy.fill(0, at, at + 4);
  return crc32c(copy) === value.readUInt32BE(0);
}

function readTls(value: Buffer): ProxyTls | string {
  if (value.length < 5) return 'the TLS value is cut off';
  const flags = value[0]!;
  const isVerified = value.readUInt32BE(1) === 0 && (flags & clientCertificates) !== 0;
  let commonName: string | null = null;
  for (let at = 5; at < value.length;) {
    const end = endOfValue(value, at, value.length);
    if (end === -1) return 'the TLS value is cut off';
    if (value[at] === typeCommonName) {
      const name = nameOf(value.subarray(at + 3, end));
      if (name === null || commonName !== null) return 'the common name is not valid';
      commonName = name;
    }
    at = end;
  }
  return { isSecure: (flags & clientSsl) !== 0, commonName: isVerified ? commonName : null };
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function nameOf(bytes: Buffer): string | null {
  try {
    const name = utf8.decode(bytes);
    // eslint-disable-next-line no-control-regex -- a name with these would lie in logs and rules
    return name === '' || /[\u0000-\u001f\u007f]/.test(name) ? null : name;
  } catch {
    return null;
  }
}

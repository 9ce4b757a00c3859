import { verify, type X509Certificate } from 'node:crypto';
import { issuerName } from './certificate-fields.ts';
import { contentOf, elementsOf } from './der.ts';

/** What lists say of a certificate. */
export type RevocationStatus = 'good' | 'withdrawn' | 'unknown' | 'outdated';

/** How a list is signed, by object identifier → the hash; `null`: the algorithm has its own. */
const hashes = new Map<string, string | null>([
  ['06092a864886f70d01010b', 'sha256'], // RSA
  ['06092a864886f70d01010c', 'sha384'],
  ['06092a864886f70d01010d', 'sha512'],
  ['06082a8648ce3d040302', 'sha256'], // ECDSA
  ['06082a8648ce3d040303', 'sha384'],
  ['06082a8648ce3d040304', 'sha512'],
  ['06032b6570', null], // Ed25519
  ['06032b6571', null], // Ed448
]);

/** Certificate revocation list (RFC 5280, 5). */
interface RevocationList {
  readonly body: Buffer;
  readonly signature: Buffer;
  readonly hash: string | null;
  readonly issuer: string;
  readonly sinceMs: number;
  /** `Infinity`: it does not say. */
  readonly untilMs: number;
  /** Serial numbers, hexadecimal. */
  readonly serials: ReadonlySet<string>;
}

/** Lists of withdrawn certificates, the latest of each authority. */
export class RevocationLists {
  readonly #lists: ReadonlyMap<string, RevocationList>;
  /** Lists whose signature is right, by the authority's certificate. */
  readonly #verified = new Map<string, boolean>();

  constructor(lists: ReadonlyMap<string, RevocationList>) {
    this.#lists = lists;
  }

  /** `nowMs` = `null`: whether a list is out of date does not matter. */
  statusOf(certificate: X509Certificate, authority: X509Certificate, nowMs: number | null): RevocationStatus {
    const list = this.#listFor(certificate, authority);
    if (list === undefined) return 'unknown';
    if (list.serials.has(serialText(certificate.serialNumber))) return 'withdrawn';
    return nowMs !== null && (nowMs < list.sinceMs || nowMs > list.untilMs) ? 'outdated' : 'good';
  }

  #listFor(certificate: X509Certificate, authority: X509Certificate): RevocationList | undefined {
    const list = this.#lists.get(issuerName(certificate).toString('hex'));
    if (list === undefined) return undefined;
    const key = authority.fingerprint256;
    let isRight = this.#verified.get(key);
    if (isRight === undefined) {
      isRight = verify(list.hash, list.body, authority.publicKey, list.signature);
      // Authorities that clients bring along are theirs to make up: those are few and good, or are not remembered.
      if (isRight) this.#verified.set(key, isRight);
    }
    return isRight ? list : undefined;
  }
}

/** Reads the lists in a PEM text. Throws an `Error` that says what is wrong with it. */
export function revocationLists(pem: string): RevocationLists {
  const lists = new Map<string, RevocationList>();
  const blocks = pem.matchAll(/-----BEGIN X509 CRL-----([^-]+)-----END X509 CRL-----/g);
  for (const [, text = ''] of blocks) {
    const list = readList(Buffer.from(text, 'base64'));
    const other = lists.get(list.issuer);
    if (other === undefined || other.sinceMs < list.sinceMs) lists.set(list.issuer, list);
  }
  if (lists.size === 0) throw new Error('holds no list in PEM form');
  return new RevocationLists(lists);
}

function readList(der: Buffer): RevocationList {
  const [whole] = elementsOf(der);
  const [body, algorithm, signature] = elementsOf(contentOf(whole));
  const [algorithmName] = elementsOf(contentOf(algorithm));
  const fields = elementsOf(contentOf(body));
  // The version may be left out; then come algorithm, issuer, dates, entries, extensions.
  const [, issuer, since, ...rest] = fields[0]?.[0] === 2 ? fields.slice(1) : fields;
  if (body === undefined || signature?.[0] !== 3 || issuer?.[0] !== 0x30 || !isTime(since))
    throw new Error('is damaged');
  const hash = hashes.get(algorithmName?.toString('hex') ?? '');
  if (hash === undefined) throw new Error('is signed in a way that cannot be checked here');
  if (rest.some((field) => field[0] === 0xa0 && hasCriticalExtension(field)))
    throw new Error('is not a whole list of one authority');
  const until = isTime(rest[0]) ? rest[0] : undefined;
  const entries = rest.find((field) => field[0] === 0x30);
  const serials = elementsOf(contentOf(entries)).map((entry) => {
    const [serial] = elementsOf(contentOf(entry));
    if (serial?.[0] !== 2) throw new Error('is damaged');
    return serialText(contentOf(serial).toString('hex'));
  });
  return {
    body,
    // A bit string begins with the number of bits that are not used: none.
    signature: contentOf(signature).subarray(1),
    hash,
    issuer: issuer.toString('hex'),
    sinceMs: timeOf(since),
    untilMs: until === undefined ? Infinity : timeOf(until),
    serials: new Set(serials),
  };
}

/** Lists of a part, of changes alone or of several authorities say so in an extension that must be understood. */
function hasCriticalExtension(field: Buffer): boolean {
  const [list] = elementsOf(contentOf(field));
  return elementsOf(contentOf(list)).some((extension) =>
    elementsOf(contentOf(extension)).some((part) => part[0] === 1 && part[2] !== 0),
  );
}

const utcTime = 0x17;
const generalizedTime = 0x18;

function isTime(field: Buffer | undefined): field is Buffer {
  return field?.[0] === utcTime || field?.[0] === generalizedTime;
}

/** `260131120000Z` (years 1950 to 2049) or `20260131120000Z`, in milliseconds since 1970. */
function timeOf(field: Buffer): number {
  const short = contentOf(field).toString('latin1');
  const isShort = field[0] === utcTime;
  const text = isShort ? `${Number(short.slice(0, 2)) < 50 ? '20' : '19'}${short}` : short;
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  if (parts === null) throw new Error('is damaged');
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = parts.slice(1).map(Number);
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

/** One form for a number, which may be written with leading zeros. */
function serialText(hex: string): string {
  return hex.toLowerCase().replace(/^0+(?=.)/, '');
}

import { createHash } from 'node:crypto';
import { isIP, type Socket } from 'node:net';
import {
  checkServerIdentity,
  connect,
  createSecureContext,
  getCACertificates,
  type ConnectionOptions,
  type SecureContext,
  type TLSSocket,
} from 'node:tls';
import { DavylampError } from '#base';
import type { PreSharedKey, TlsFilesConfig } from '#config';
import { pskKeyOf } from './psk-file.ts';
import { readPskFile } from './read-psk-file.ts';
import { readTlsFiles, type TlsMaterial } from './tls-files.ts';
import { secureSettings } from './tls-settings.ts';

/** What a client's TLS needs beside its files. */
export interface DialTlsOptions {
  readonly files: TlsFilesConfig;
  /** For people: `mqtts://relay.example:8883`. */
  readonly target: string;
  readonly host: string;
  /** The name that the server's certificate must hold, where it is not `host`. */
  readonly servername: string | undefined;
  readonly keyLog: ((line: Buffer) => void) | undefined;
}

/** What was read from the files of one dial. */
interface Secured {
  readonly key: string;
  readonly context: SecureContext;
  readonly psk: { readonly identity: string; readonly psk: Buffer } | null;
  /** The last TLS session with this server: the next handshake is short. */
  session: Buffer | undefined;
}

/** TLS towards one server. Files are read with each dial; what is made of them is kept while they stay the same. */
export class DialTls {
  readonly #options: DialTlsOptions;
  #secured: Secured | null = null;

  constructor(options: DialTlsOptions) {
    this.#options = options;
  }

  /** Rejects with `TLS_INVALID`, `CREDENTIALS_INVALID` or `FILE_UNREADABLE`. */
  async prepare(): Promise<Secured> {
    const { files, target } = this.#options;
    const material = await readTlsFiles(files, target);
    const psk = files.psk === undefined ? null : await this.#readKey(files.psk);
    const held = JSON.stringify([material, psk?.psk.toString('hex') ?? null]);
    const key = createHash('sha256').update(held).digest('hex');
    // Another certificate or authority: a session of before would be another identity, or another trust.
    if (this.#secured?.key !== key) {
      const context = createSecureContext(this.#settings(material));
      this.#secured = { key, context, psk, session: undefined };
    }
    return this.#secured;
  }

  /** A session that the server does not like must not stand in the way of the next try. */
  forgetSession(): void {
    if (this.#secured !== null) this.#secured.session = undefined;
  }

  /** Begins TLS over a connection, or over one that `place` says how to open. */
  open(secured: Secured, place: { readonly socket: Socket } | ConnectionOptions): TLSSocket {
    const { files, host, servername, keyLog } = this.#options;
    const { psk } = secured;
    const socket = connect({
      ...place,
      secureContext: secured.context,
      // A server name is a name: an address is checked against the certificate all the same (RFC 6066, 3).
      servername: servername ?? (isIP(host) === 0 ? host : ''),
      checkServerIdentity: (_name, certificate) =>
        // With a key shared beforehand there is no certificate: the server has proved to know the key.
        files.isInsecure === true || (files.psk !== undefined && Object.keys(certificate).length === 0)
          ? undefined
          : checkServerIdentity(servername ?? host, certificate),
      ...(files.alpn === undefined || files.alpn.length === 0 ? {} : { ALPNProtocols: [...files.alpn] }),
      ...(psk === null ? {} : { pskCallback: () => psk }),
      ...(secured.session === undefined ? {} : { session: secured.session }),
    });
    socket.on('session', (session) => {
      secured.session = session;
    });
    if (keyLog !== undefined) socket.on('keylog', keyLog);
    return socket;
  }

  #settings(material: TlsMaterial): ReturnType<typeof secureSettings> {
    const { files, target } = this.#options;
    const withPsk = files.psk !== undefined;
    const settings = secureSettings(files, material, { owner: target, withPsk });
    const needsSystem = files.trustsSystem ?? material.ca === undefined;
    if (!needsSystem || withPsk) return settings;
    return { ...settings, ca: [...new Set([...(material.ca ?? []), ...systemAuthorities()])] };
  }

  async #readKey(shared: PreSharedKey): Promise<NonNullable<Secured['psk']>> {
    const { target } = this.#options;
    const { identity } = shared;
    if ('file' in shared) {
      const { keys } = await readPskFile(shared.file, target);
      const psk = keys.get(identity);
      if (psk !== undefined) return { identity, psk };
      const what = `PSK file ${shared.file} has no key of the identity ${identity}`;
      throw new DavylampError('CREDENTIALS_INVALID', `${target}: ${what}; add a line ${identity}:key`);
    }
    const psk = pskKeyOf(shared.keyHex);
    if (psk !== null) return { identity, psk };
    const message = `${target}: the PSK key must be 1 to 256 bytes in hexadecimal`;
    throw new DavylampError('TLS_INVALID', message);
  }
}

/** The authorities of the operating system; where it has none, those that Node brings. */
function systemAuthorities(): readonly string[] {
  const system = getCACertificates('system');
  return system.length > 0 ? system : getCACertificates('bundled');
}

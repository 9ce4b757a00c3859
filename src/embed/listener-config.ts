import { DavylampError } from '#base';
import { readToml, type Config, type ListenerConfig } from '#config';
import type { ListenerOptions } from './options.ts';

/** What the configuration file has where it says nothing: one place for defaults. */
interface Defaults {
  readonly limits: Config['limits'];
  readonly listener: ListenerConfig;
  /** Of a journal. */
  readonly maximumBytes: number;
}

/** What the configuration file has where it says nothing. */
export function defaultConfig(): Defaults {
  const text = 'role = "site"\nname = "embedded"\n[[listener]]\nname = "x"\nallow_anonymous = true\n';
  const { limits, listeners, persistence } = readToml(text, 'defaults', { baseFolder: '/' }).config;
  const [listener] = listeners;
  if (listener === undefined) throw new DavylampError('BUG', 'there is no default listener');
  const { maximumBytes } = persistence ?? { maximumBytes: 0 };
  return { limits, listener: { ...listener, allowAnonymous: false }, maximumBytes };
}

const defaultPorts = { tcp: 1883, tls: 8883, unix: 0, ws: 8083, wss: 8084 } as const;

/** Fills in what was left out. `index` names a listener without a name. */
export function listenerConfig(
  options: ListenerOptions,
  index: number,
  defaults: ListenerConfig,
): ListenerConfig {
  const { tls, webSocket, ...given } = options;
  const protocol = options.protocol ?? protocolOf(options);
  const hasUsers = (given.passwordFile ?? null) !== null || (given.scramFile ?? null) !== null;
  const isWebSocket = protocol === 'ws' || protocol === 'wss';
  return {
    ...defaults,
    name: `listener-${index + 1}`,
    address: defaultAddress(options, defaults),
    port: defaultPorts[protocol],
    requirePassword: hasUsers && given.allowAnonymous !== true,
    ...given,
    protocol,
    tls:
      protocol === 'tls' || protocol === 'wss'
        ? { caFile: null, certificateFile: null, keyFile: null, ...tls }
        : null,
    webSocket: isWebSocket ? { path: '/mqtt', allowedOrigins: [], ...webSocket } : null,
  };
}

/** Of this machine alone, or of the interface that is named. */
function defaultAddress(
  { networkInterface, ipVersion }: ListenerOptions,
  { address }: ListenerConfig,
): string {
  if (networkInterface !== undefined) return '';
  return ipVersion === 6 ? '::1' : address;
}

function protocolOf({ tls, path, webSocket }: ListenerOptions): ListenerConfig['protocol'] {
  if (webSocket !== undefined) return tls === undefined ? 'ws' : 'wss';
  if (tls !== undefined) return 'tls';
  return path === undefined ? 'tcp' : 'unix';
}

/** The listener's own rules let somebody in. */
export function hasOwnRules(listener: ListenerConfig): boolean {
  return (
    listener.passwordFile !== null ||
    listener.scramFile !== null ||
    listener.allowAnonymous ||
    listener.requireCertificate ||
    takesCertificateName(listener) ||
    listener.identityFromPsk === true
  );
}

function takesCertificateName(listener: ListenerConfig): boolean {
  return listener.identityFromCertificate || listener.certificateIdentity !== undefined;
}

/** Throws `CONFIG_INVALID` for what cannot be meant: two names alike, rules that contradict, or nobody who could sign in. */
export function checkListeners(listeners: readonly ListenerConfig[], hasAuthenticate: boolean): void {
  const names = new Set<string>();
  for (const listener of listeners) {
    const why = names.has(listener.name)
      ? 'another one has this name already; give it a name of its own'
      : (signInFault(listener, hasAuthenticate) ?? meansFault(listener));
    names.add(listener.name);
    if (why !== null) throw new DavylampError('CONFIG_INVALID', `listener ${listener.name}: ${why}`);
  }
}

function signInFault(listener: ListenerConfig, hasAuthenticate: boolean): string | null {
  if (!hasOwnRules(listener) && !hasAuthenticate)
    return 'nobody could sign in; give passwordFile, scramFile or the hook authenticate, or allowAnonymous: true';
  if (listener.requirePassword && listener.allowAnonymous)
    return 'requirePassword and allowAnonymous contradict each other; remove one of them';
  if (listener.requirePassword && listener.passwordFile === null && listener.scramFile === null)
    return 'passwords need a file to be judged by; give passwordFile or scramFile';
  return null;
}

/** What a rule needs that is not there. */
function meansFault(listener: ListenerConfig): string | null {
  const { tls, pskFile, proxyProtocol, mountPoint = '' } = listener;
  const asks = listener.requireCertificate || takesCertificateName(listener);
  if (asks && tls === null && proxyProtocol !== 2)
    return 'certificates need TLS; give tls with certificateFile, keyFile and caFile';
  if (pskFile !== undefined && tls === null) return 'pskFile needs TLS; give tls: {}';
  if (listener.identityFromPsk === true && pskFile === undefined)
    return 'identityFromPsk needs keys that are shared; give pskFile';
  if (pskFile !== undefined && listener.requireCertificate)
    return 'clients with a shared key show no certificate; remove pskFile or requireCertificate';
  if (listener.proxyRequiresTls === true && proxyProtocol !== 2)
    return 'proxyRequiresTls needs proxyProtocol: 2';
  if (listener.httpFolder !== undefined && listener.webSocket === null)
    return 'httpFolder is for web browsers; give webSocket: {}';
  if (/[+#]/.test(mountPoint) || mountPoint.startsWith('$'))
    return 'mountPoint is the beginning of a topic: no + and no #, and no $ in front';
  return null;
}

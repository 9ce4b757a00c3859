import { DavylampError } from '#base';
import { readToml, type Config, type ListenerConfig } from '#config';
import type { ListenerOptions } from './options.ts';

/** Bounds and a listener as the configuration file has them where it says nothing: one place for defaults. */
export function defaultConfig(): { readonly limits: Config['limits']; readonly listener: ListenerConfig } {
  const text = 'role = "site"\nname = "embedded"\n[[listener]]\nname = "x"\nallow_anonymous = true\n';
  const { limits, listeners } = readToml(text, 'defaults', { baseFolder: '/' }).config;
  const [listener] = listeners;
  if (listener === undefined) throw new DavylampError('BUG', 'there is no default listener');
  return { limits, listener: { ...listener, allowAnonymous: false } };
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

function protocolOf({ tls, path, webSocket }: ListenerOptions): ListenerConfig['protocol'] {
  if (webSocket !== undefined) return tls === undefined ? 'ws' : 'wss';
  if (tls !== undefined) return 'tls';
  return path === undefined ? 'tcp' : 'unix';
}

/** The listener's own rules let somebody in. */
export function hasOwnRules(listener: ListenerConfig): boolean {
  const { passwordFile, scramFile, allowAnonymous, requireCertificate, identityFromCertificate } = listener;
  return (
    passwordFile !== null ||
    scramFile !== null ||
    allowAnonymous ||
    requireCertificate ||
    identityFromCertificate
  );
}

/** Throws `CONFIG_INVALID` for what cannot be meant: two names alike, rules that contradict, or nobody who could sign in. */
export function checkListeners(listeners: readonly ListenerConfig[], hasAuthenticate: boolean): void {
  const names = new Set<string>();
  for (const listener of listeners) {
    const fault = (why: string): DavylampError =>
      new DavylampError('CONFIG_INVALID', `listener ${listener.name}: ${why}`);
    if (names.has(listener.name)) throw fault('another one has this name already; give it a name of its own');
    names.add(listener.name);
    if (!hasOwnRules(listener) && !hasAuthenticate) {
      throw fault(
        'nobody could sign in; give passwordFile, scramFile or the hook authenticate, or allowAnonymous: true',
      );
    }
    if (listener.requirePassword && listener.allowAnonymous)
      throw fault('requirePassword and allowAnonymous contradict each other; remove one of them');
    if (listener.requirePassword && listener.passwordFile === null && listener.scramFile === null)
      throw fault('passwords need a file to be judged by; give passwordFile or scramFile');
    const isTls = listener.tls !== null;
    if (!isTls && (listener.requireCertificate || listener.identityFromCertificate))
      throw fault('certificates need TLS; give tls with certificateFile, keyFile and caFile');
  }
}

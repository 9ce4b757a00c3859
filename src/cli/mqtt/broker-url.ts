/** What `-L` says: `mqtt(s)://[user[:password]@]host[:port]/topic`, or `ws(s)://…`. */
export interface BrokerUrl {
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
  readonly isWebSocket: boolean;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly topic: string;
}

/** What `--proxy` says. */
export interface ProxyUrl {
  readonly host: string;
  readonly port: number;
  readonly username: string | undefined;
  readonly password: string | undefined;
}

const defaultProxyPort = 1080;

/** Reads the URL of `-L`. User name and password stand as they are, without escapes. A string says what is wrong. */
export function readBrokerUrl(text: string): BrokerUrl | string {
  const [, scheme = '', rest = ''] = /^(mqtts?|wss?):\/\/(.*)$/is.exec(text) ?? [];
  const kind = scheme.toLowerCase();
  if (kind === '') return 'the URL must begin with mqtt://, mqtts://, ws:// or wss://';
  const slash = rest.indexOf('/');
  if (slash === -1) return 'the URL has no topic; add /topic at its end';
  const authority = rest.slice(0, slash);
  const at = authority.indexOf('@');
  const credentials = at === -1 ? undefined : authority.slice(0, at);
  const place = readPlace(authority.slice(at + 1));
  if (typeof place === 'string') return place;
  const colon = credentials?.indexOf(':') ?? -1;
  const isTls = kind === 'mqtts' || kind === 'wss';
  return {
    host: place.host,
    port: place.port ?? (isTls ? 8883 : 1883),
    isTls,
    isWebSocket: kind.startsWith('ws'),
    username: colon === -1 ? credentials : credentials?.slice(0, colon),
    password: colon === -1 ? undefined : credentials?.slice(colon + 1),
    topic: rest.slice(slash + 1),
  };
}

/** Reads the URL of `--proxy`. `%25`, `%3A` and `%40` stand for `%`, `:` and `@`. A string says what is wrong. */
export function readProxyUrl(text: string): ProxyUrl | string {
  const [, rest] = /^socks5h:\/\/(.*)$/s.exec(text) ?? [];
  if (rest === undefined) return 'the proxy must be of the form socks5h://[user[:password]@]host[:port]';
  const at = rest.indexOf('@');
  const [username, password, ...more] = at === -1 ? [] : rest.slice(0, at).split(':').map(unescape);
  if (more.length > 0) return 'the user name of the proxy holds a colon; write it as %3A';
  if (username === '' || username === null || password === null)
    return 'user name or password of the proxy has a wrong escape; there are %25, %3A and %40';
  const place = readPlace(rest.slice(at + 1).replace(/\/$/, ''));
  if (typeof place === 'string') return place;
  return { host: place.host, port: place.port ?? defaultProxyPort, username, password };
}

function readPlace(text: string): { host: string; port: number | undefined } | string {
  const [, address, name, portText] = /^(?:\[([^\]]*)\]|([^:]*))(?::(.*))?$/s.exec(text) ?? [];
  const host = address ?? name ?? '';
  if (host === '') return 'the URL names no host';
  if (portText === undefined) return { host, port: undefined };
  const port = /^\d{1,5}$/.test(portText) ? Number(portText) : 0;
  if (port < 1 || port > 65_535) return `the port must be a number from 1 to 65535, not '${portText}'`;
  return { host, port };
}

/** `null`: an escape that does not exist. */
function unescape(text: string): string | null {
  if (/%(?!25|3a|40)/i.test(text)) return null;
  return text.replaceAll(/%3a/gi, ':').replaceAll('%40', '@').replaceAll('%25', '%');
}

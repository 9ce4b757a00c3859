import type { Qos } from '#mqtt';
import { topicFilterFault, topicNameFault } from '#topics';
import { usage } from '../command.ts';
import { readBrokerUrl, readProxyUrl } from './broker-url.ts';
import type { OptionUse } from './option-words.ts';
import { compileFormat } from './output-format.ts';
import { defaultSettings, type MessageSource, type ToolSettings } from './settings.ts';
import type { ToolName } from './options.ts';

const maximumTopicLevels = 0xffff;
const forEver = 0xffff_ffff;

/** Takes one option in; a string says what is wrong with it. */
type Setter = (settings: ToolSettings, value: string, values: readonly string[]) => string | void;

const engineRefused = (): string => 'OpenSSL engines are not supported; use --cert and --key with PEM files';

const connectionSetters: Readonly<Record<string, Setter>> = {
  host: (settings, value) => void (settings.host = value),
  port: (settings, value) => whole(value, 0, 65_535, (port) => void (settings.port = port)),
  url: takeUrl,
  unix: (settings, value) => void (settings.unixPath = value),
  ws: (settings) => void (settings.isWebSocket = true),
  bind: (settings, value) => void (settings.bindAddress = value),
  srv: (settings) => void (settings.useSrv = true),
  proxy(settings, value) {
    const proxy = readProxyUrl(value);
    if (typeof proxy === 'string') return proxy;
    settings.proxy = proxy;
    return undefined;
  },
  nodelay: () => {},
  mptcp: () => 'Multipath TCP is not supported; leave it out to connect over TCP',
  'protocol-version'(settings, value) {
    const version = ({ '31': 3, '311': 4, '5': 5 } as const)[value.replace(/^mqttv/, '')];
    if (version === undefined) return `takes mqttv31, mqttv311 or mqttv5, not '${value}'`;
    settings.version = version;
    return undefined;
  },
  keepalive: (settings, value) =>
    whole(value, 5, 65_535, (seconds) => void (settings.keepAliveSeconds = seconds)),
  id: (settings, value) =>
    settings.clientIdPrefix === undefined ? void (settings.clientId = value) : 'cannot be used with -I',
  'id-prefix': (settings, value) =>
    settings.clientId === undefined ? void (settings.clientIdPrefix = value) : 'cannot be used with -i',
  'disable-clean-session': (settings) => void (settings.cleanSession = false),
  'session-expiry'(settings, value) {
    settings.version = 5;
    if (value === '∞' || value === '-1') return void (settings.sessionExpiry = forEver);
    return whole(value, 0, forEver, (seconds) => void (settings.sessionExpiry = seconds));
  },
  username: (settings, value) => void (settings.username = value),
  pw: (settings, value) => void (settings.password = value),
  property(settings, _value, values) {
    settings.version = 5;
    return settings.properties.add(values) ?? undefined;
  },
  'will-topic': (settings, value) => nameFault(value) ?? void (settings.will.topic = value),
  'will-payload': (settings, value) => void (settings.will.payload = value),
  'will-qos': (settings, value) => whole(value, 0, 2, (qos) => void (settings.will.qos = qos as Qos)),
  'will-retain': (settings) => void (settings.will.retain = true),
  'options-file': () => {}, // read before
};

const tlsSetters: Readonly<Record<string, Setter>> = {
  cafile: ({ tls }, value) => void (tls.caFile = value),
  capath: ({ tls }, value) => void (tls.caFolder = value),
  'tls-use-os-certs': ({ tls }) => void (tls.useSystemAuthorities = true),
  cert: ({ tls }, value) => void (tls.certificateFile = value),
  key: ({ tls }, value) => void (tls.keyFile = value),
  keyform: ({ tls }, value) => (value === 'pem' ? void (tls.keyForm = value) : engineRefused()),
  ciphers: ({ tls }, value) => void (tls.ciphers = value),
  'tls-version'({ tls }, value) {
    if (value === 'tlsv1.1' || value === 'tlsv1') return `${value} is broken and not supported; use tlsv1.2`;
    if (value !== 'tlsv1.2' && value !== 'tlsv1.3') return `takes tlsv1.2 or tlsv1.3, not '${value}'`;
    tls.version = value === 'tlsv1.2' ? 'TLSv1.2' : 'TLSv1.3';
    return undefined;
  },
  'tls-alpn': ({ tls }, value) => void (tls.alpn = value),
  'tls-keylog': ({ tls }, value) => void (tls.keylogFile = value),
  insecure: ({ tls }) => void (tls.insecure = true),
  'no-tls': ({ tls }) => void (tls.off = true),
  psk: ({ tls }, value) =>
    /^(?:[0-9a-f]{2})+$/i.test(value)
      ? void (tls.psk = Buffer.from(value, 'hex'))
      : 'takes the key in hexadecimal digits, two for each byte',
  'psk-identity': ({ tls }, value) => void (tls.pskIdentity = value),
  'tls-engine': engineRefused,
  'tls-engine-kpass-sha1': engineRefused,
};

const messageSetters: Readonly<Record<string, Setter>> = {
  topic: addTopic,
  'response-topic': (settings, value) => nameFault(value) ?? void (settings.responseTopic = value),
  qos: (settings, value) => whole(value, 0, 2, (qos) => void (settings.qos = qos as Qos)),
  message: (settings, value) => take(settings, 'text', value),
  file: (settings, value) => take(settings, 'file', value),
  'stdin-line': (settings) => take(settings, 'lines', ''),
  'stdin-file': (settings) => take(settings, 'input', ''),
  'null-message': (settings) => take(settings, 'empty', ''),
  retain: (settings) => void (settings.retain = true),
  repeat: (settings, value) => whole(value, 1, 0x7fff_ffff, (count) => void (settings.repeat = count)),
  'repeat-delay': (settings, value) =>
    ranged(value, 0, 86_400 * 365, (seconds) => void (settings.repeatDelayMs = seconds * 1000)),
  'max-inflight': (settings, value) =>
    whole(value, 1, 65_535, (count) => void (settings.maximumInflight = count)),
  'filter-out': (settings, value) => filterFault(value) ?? void settings.filterOut.push(value),
  unsubscribe: (settings, value) => filterFault(value) ?? void settings.unsubscribe.push(value),
  count: (settings, value) => whole(value, 1, 0x7fff_ffff, (count) => void (settings.count = count)),
  'exit-subscribed': (settings) => void (settings.exitAfterSubscribe = true),
  timeout: (settings, value) =>
    whole(value, 1, 0x7fff_ffff, (seconds) => void (settings.timeoutSeconds = seconds)),
  'no-retained'(settings) {
    settings.noRetained = true;
    settings.retainHandling = 2;
  },
  'retained-only': (settings) => void (settings.retainedOnly = true),
  'remove-retained': (settings) => void (settings.removeRetained = true),
  'retain-as-published': (settings) => void (settings.retainAsPublished = true),
  'retain-handling'(settings, value) {
    const at = ['always', 'new', 'never'].indexOf(value);
    if (at === -1) return `takes always, new or never, not '${value}'`;
    settings.retainHandling = at as 0 | 1 | 2;
    return undefined;
  },
};

const outputSetters: Readonly<Record<string, Setter>> = {
  verbose: (settings) => void (settings.verbose = true),
  format(settings, value) {
    const format = compileFormat(value);
    if (typeof format === 'string') return format;
    settings.format = format;
    return undefined;
  },
  'no-newline': (settings) => void (settings.endOfLine = false),
  pretty: (settings) => void (settings.pretty = true),
  'random-filter': (settings, value) =>
    ranged(value, 0.1, 100, (share) => void (settings.randomShare = share)),
  watch: (settings) => void (settings.watch = true),
  'message-rate': () => 'is not supported; count lines, for example with -F %t and another program',
  latency: (settings) => void (settings.latency = true),
  debug: (settings) => void (settings.debug = true),
  quiet: (settings) => void (settings.quiet = true),
  version: (settings) => void (settings.showVersion = true),
};

const setters: ReadonlyMap<string, Setter> = new Map(
  Object.entries({ ...connectionSetters, ...tlsSetters, ...messageSetters, ...outputSetters }),
);

/** Reads the options of a tool, in their order. Throws USAGE, which names the option. */
export function readSettings(tool: ToolName, uses: readonly OptionUse[]): ToolSettings {
  const settings = defaultSettings(tool);
  for (const { option, values } of uses) {
    const fault = setters.get(option.name)?.(settings, values[0] ?? '', values);
    if (typeof fault === 'string') {
      const name = option.short === undefined ? `--${option.name}` : `-${option.short}`;
      throw usage(tool, `${name}: ${fault}`);
    }
  }
  const fault = settings.showVersion ? undefined : faultOf(settings);
  if (fault !== undefined) throw usage(tool, fault);
  return settings;
}

function takeUrl(settings: ToolSettings, value: string): string | undefined {
  const url = readBrokerUrl(value);
  if (typeof url === 'string') return url;
  const fault = addTopic(settings, url.topic);
  if (fault !== undefined) return fault;
  settings.host = url.host;
  settings.port = url.port;
  settings.isWebSocket ||= url.isWebSocket;
  settings.tls.useSystemAuthorities ||= url.isTls;
  if (url.username !== undefined) settings.username = url.username;
  if (url.password !== undefined) settings.password = url.password;
  return undefined;
}

function addTopic(settings: ToolSettings, value: string): string | undefined {
  const fault = settings.tool === 'sub' ? filterFault(value) : nameFault(value);
  if (fault !== undefined) return fault;
  if (settings.tool === 'sub') settings.topics.push(value);
  else settings.topics = [value];
  return undefined;
}

function take(settings: ToolSettings, source: MessageSource, value: string): string | undefined {
  if (settings.source !== 'none') return 'only one of -m, -f, -l, -s and -n can be given';
  settings.source = source;
  settings.sourceValue = value;
  return undefined;
}

function nameFault(topic: string): string | undefined {
  return isSendable(topic) && topicNameFault(topic, maximumTopicLevels) === 0
    ? undefined
    : `cannot publish on topic '${topic}'; it must not be empty or hold + or #`;
}

function filterFault(filter: string): string | undefined {
  return isSendable(filter) && topicFilterFault(filter, maximumTopicLevels) === 0
    ? undefined
    : `'${filter}' is no topic filter; + and # must stand for whole levels, # at the end`;
}

/** At most 65,535 bytes of UTF-8. A word of the command line that was none holds U+FFFD. */
function isSendable(topic: string): boolean {
  return Buffer.byteLength(topic) <= 0xffff && !topic.includes('\ufffd');
}

function whole(
  text: string,
  minimum: number,
  maximum: number,
  set: (value: number) => void,
): string | undefined {
  const value = /^[+-]?\d+$/.test(text.trim()) ? Number(text) : Number.NaN;
  if (!(value >= minimum && value <= maximum))
    return `takes a whole number from ${minimum} to ${maximum}, not '${text}'`;
  set(value);
  return undefined;
}

function ranged(
  text: string,
  minimum: number,
  maximum: number,
  set: (value: number) => void,
): string | undefined {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (!(value >= minimum && value <= maximum))
    return `takes a number from ${minimum} to ${maximum}, not '${text}'`;
  set(value);
  return undefined;
}

/** What does not go together. */
function faultOf(settings: ToolSettings): string | undefined {
  return targetFault(settings) ?? sessionFault(settings) ?? messageFault(settings) ?? tlsFault(settings);
}

function targetFault({ unixPath, isWebSocket, proxy, useSrv }: ToolSettings): string | undefined {
  if (unixPath === undefined) return undefined;
  if (isWebSocket) return '--unix and --ws cannot be used together';
  if (proxy !== undefined) return '--unix and --proxy cannot be used together';
  return useSrv ? '--unix and -S cannot be used together' : undefined;
}

function sessionFault(settings: ToolSettings): string | undefined {
  const { version, cleanSession, clientId, will, username, password } = settings;
  if (will.topic === undefined) {
    const isWanted =
      will.payload !== undefined || will.retain || Object.keys(settings.properties.all.will).length > 0;
    if (isWanted) return 'a will needs a topic; add --will-topic';
  }
  if (version === 5) {
    const expiry = settings.sessionExpiry ?? (cleanSession ? 0 : forEver);
    return expiry === forEver && clientId === undefined
      ? 'a session that never ends needs a client id; add -i'
      : undefined;
  }
  if (!cleanSession && clientId === undefined) return '-c needs a client id; add -i';
  return password !== undefined && username === undefined
    ? '-P without -u needs MQTT 5; add -u, or -V mqttv5'
    : undefined;
}

function messageFault(settings: ToolSettings): string | undefined {
  const { tool, topics, source, responseTopic, unsubscribe, version } = settings;
  if (tool === 'sub') {
    if (topics.length === 0 && unsubscribe.length === 0) return 'a topic is missing; add -t (or -U)';
    if (settings.noRetained && settings.retainedOnly) return '-R and --retained-only cannot be used together';
    return undefined;
  }
  if (topics.length === 0) return 'a topic is missing; add -t';
  if (source === 'none') return `a message is missing; add -m, -f, ${tool === 'pub' ? '-l, ' : ''}-s or -n`;
  if (tool === 'pub') return undefined;
  if (responseTopic === undefined) return 'the topic of the response is missing; add -e';
  return version === 5 && settings.properties.all.publish.responseTopic !== undefined
    ? 'the response topic is given twice: by -e and by -D'
    : undefined;
}

function tlsFault({ tls }: ToolSettings): string | undefined {
  if ((tls.certificateFile === undefined) !== (tls.keyFile === undefined))
    return '--cert and --key belong together; give both';
  if (tls.keyForm !== undefined && tls.keyFile === undefined) return '--keyform needs --key';
  if (tls.psk === undefined) return undefined;
  if (tls.caFile !== undefined || tls.caFolder !== undefined)
    return '--psk and --cafile or --capath cannot be used together';
  if (tls.version === 'TLSv1.3') return '--psk works with TLS 1.2 only; leave --tls-version out';
  return tls.pskIdentity === undefined ? '--psk needs --psk-identity' : undefined;
}

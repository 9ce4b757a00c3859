import type { ProtocolVersion, Qos } from '#mqtt';
import type { ProxyUrl } from './broker-url.ts';
import type { OutputFormat } from './output-format.ts';
import type { ToolName } from './options.ts';
import { PropertyCollector } from './property-words.ts';

/** Where the messages to send come from. */
export type MessageSource = 'none' | 'text' | 'file' | 'lines' | 'input' | 'empty';

/** Everything that the options of a tool say; the defaults are those of the mosquitto tools. */
export interface ToolSettings {
  readonly tool: ToolName;
  host: string;
  port: number | undefined;
  unixPath: string | undefined;
  isWebSocket: boolean;
  bindAddress: string | undefined;
  useSrv: boolean;
  proxy: ProxyUrl | undefined;
  version: ProtocolVersion;
  keepAliveSeconds: number;
  clientId: string | undefined;
  clientIdPrefix: string | undefined;
  cleanSession: boolean;
  /** Seconds; 0xffffffff: for ever. */
  sessionExpiry: number | undefined;
  username: string | undefined;
  password: string | undefined;
  readonly properties: PropertyCollector;
  readonly will: { topic: string | undefined; payload: string | undefined; qos: Qos; retain: boolean };
  readonly tls: TlsSettings;
  topics: string[];
  qos: Qos;
  source: MessageSource;
  /** Of `text` the text, of `file` its path. */
  sourceValue: string;
  retain: boolean;
  repeat: number;
  repeatDelayMs: number;
  maximumInflight: number;
  responseTopic: string | undefined;
  filterOut: string[];
  unsubscribe: string[];
  /** Messages to stop after; 0: none. */
  count: number;
  exitAfterSubscribe: boolean;
  timeoutSeconds: number;
  noRetained: boolean;
  retainedOnly: boolean;
  removeRetained: boolean;
  retainAsPublished: boolean;
  retainHandling: 0 | 1 | 2;
  format: OutputFormat | undefined;
  verbose: boolean;
  endOfLine: boolean;
  pretty: boolean;
  /** Per cent of the messages that are printed. */
  randomShare: number;
  watch: boolean;
  latency: boolean;
  debug: boolean;
  quiet: boolean;
  showVersion: boolean;
}

interface TlsSettings {
  caFile: string | undefined;
  caFolder: string | undefined;
  useSystemAuthorities: boolean;
  certificateFile: string | undefined;
  keyFile: string | undefined;
  keyForm: string | undefined;
  ciphers: string | undefined;
  version: 'TLSv1.2' | 'TLSv1.3' | undefined;
  alpn: string | undefined;
  keylogFile: string | undefined;
  insecure: boolean;
  off: boolean;
  psk: Buffer | undefined;
  pskIdentity: string | undefined;
}

/** What holds where no option says otherwise. */
export function defaultSettings(tool: ToolName): ToolSettings {
  return {
    tool,
    host: 'localhost',
    port: undefined,
    unixPath: undefined,
    isWebSocket: false,
    bindAddress: undefined,
    useSrv: false,
    proxy: undefined,
    version: tool === 'rr' ? 5 : 4,
    keepAliveSeconds: 60,
    clientId: undefined,
    clientIdPrefix: undefined,
    cleanSession: true,
    sessionExpiry: undefined,
    username: undefined,
    password: undefined,
    properties: new PropertyCollector(),
    will: { topic: undefined, payload: undefined, qos: 0, retain: false },
    tls: defaultTls(),
    topics: [],
    qos: 0,
    source: 'none',
    sourceValue: '',
    retain: false,
    repeat: 1,
    repeatDelayMs: 0,
    maximumInflight: 20,
    responseTopic: undefined,
    filterOut: [],
    unsubscribe: [],
    count: tool === 'rr' ? 1 : 0,
    exitAfterSubscribe: false,
    timeoutSeconds: 0,
    noRetained: false,
    retainedOnly: false,
    removeRetained: false,
    retainAsPublished: false,
    retainHandling: 0,
    ...defaultOutput(),
  };
}

function defaultTls(): TlsSettings {
  return {
    caFile: undefined,
    caFolder: undefined,
    useSystemAuthorities: false,
    certificateFile: undefined,
    keyFile: undefined,
    keyForm: undefined,
    ciphers: undefined,
    version: undefined,
    alpn: undefined,
    keylogFile: undefined,
    insecure: false,
    off: false,
    psk: undefined,
    pskIdentity: undefined,
  };
}

type Output =
  | 'format'
  | 'verbose'
  | 'endOfLine'
  | 'pretty'
  | 'randomShare'
  | 'watch'
  | 'latency'
  | 'debug'
  | 'quiet'
  | 'showVersion';

function defaultOutput(): Pick<ToolSettings, Output> {
  return {
    format: undefined,
    verbose: false,
    endOfLine: true,
    pretty: false,
    randomShare: 100,
    watch: false,
    latency: false,
    debug: false,
    quiet: false,
    showVersion: false,
  };
}

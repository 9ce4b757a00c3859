import type {
  ConnectProperties,
  DisconnectPacket,
  PublishProperties,
  SubscribePacket,
  UnsubscribePacket,
  UserProperty,
} from '#mqtt';

/** The properties of `-D`, by the packet that carries them. Only what was given is there. */
export interface ToolProperties {
  readonly connect: ConnectProperties;
  readonly publish: Partial<PublishProperties>;
  readonly subscribe: SubscribePacket['properties'];
  readonly unsubscribe: UnsubscribePacket['properties'];
  readonly disconnect: DisconnectPacket['properties'];
  readonly will: Partial<PublishProperties> & { readonly delay?: number };
}

type Command = keyof ToolProperties;
type Kind = 'number' | 'flag' | 'text' | 'bytes' | 'pair';

interface PropertySpec {
  readonly field: string;
  readonly kind: Kind;
  readonly commands: readonly Command[];
  readonly minimum?: number;
  readonly maximum?: number;
}

const uint16 = { minimum: 0, maximum: 0xffff };
const uint32 = { minimum: 0, maximum: 0xffff_ffff };

/** What a client may send (MQTT 5, table 2-4), by the name in the standard with dashes. */
const properties: ReadonlyMap<string, PropertySpec> = new Map<string, PropertySpec>([
  [
    'payload-format-indicator',
    { field: 'payloadFormat', kind: 'number', commands: ['publish', 'will'], minimum: 0, maximum: 1 },
  ],
  [
    'message-expiry-interval',
    { field: 'messageExpiry', kind: 'number', commands: ['publish', 'will'], ...uint32 },
  ],
  ['content-type', { field: 'contentType', kind: 'text', commands: ['publish', 'will'] }],
  ['response-topic', { field: 'responseTopic', kind: 'text', commands: ['publish', 'will'] }],
  ['correlation-data', { field: 'correlationData', kind: 'bytes', commands: ['publish', 'will'] }],
  ['topic-alias', { field: 'topicAlias', kind: 'number', commands: ['publish'], ...uint16, minimum: 1 }],
  [
    'subscription-identifier',
    {
      field: 'subscriptionIdentifier',
      kind: 'number',
      commands: ['subscribe'],
      minimum: 1,
      maximum: 268_435_455,
    },
  ],
  [
    'session-expiry-interval',
    { field: 'sessionExpiry', kind: 'number', commands: ['connect', 'disconnect'], ...uint32 },
  ],
  [
    'receive-maximum',
    { field: 'receiveMaximum', kind: 'number', commands: ['connect'], ...uint16, minimum: 1 },
  ],
  [
    'maximum-packet-size',
    { field: 'maximumPacketSize', kind: 'number', commands: ['connect'], ...uint32, minimum: 1 },
  ],
  ['topic-alias-maximum', { field: 'topicAliasMaximum', kind: 'number', commands: ['connect'], ...uint16 }],
  [
    'request-response-information',
    { field: 'requestResponseInformation', kind: 'flag', commands: ['connect'] },
  ],
  [
    'request-problem-information',
    { field: 'requestProblemInformation', kind: 'flag', commands: ['connect'] },
  ],
  ['authentication-method', { field: 'authenticationMethod', kind: 'text', commands: ['connect'] }],
  ['authentication-data', { field: 'authenticationData', kind: 'bytes', commands: ['connect'] }],
  ['will-delay-interval', { field: 'delay', kind: 'number', commands: ['will'], ...uint32 }],
  ['reason-string', { field: 'reasonString', kind: 'text', commands: ['disconnect'] }],
  [
    'user-property',
    {
      field: 'userProperties',
      kind: 'pair',
      commands: ['connect', 'publish', 'subscribe', 'unsubscribe', 'disconnect', 'will'],
    },
  ],
]);

/** Packets that have properties but that these tools do not let you shape. */
const otherCommands = new Set(['auth', 'puback', 'pubrec', 'pubrel', 'pubcomp', 'suback', 'unsuback']);

/** Collects `-D` options. Each gives a string that says what is wrong, or `null`. */
export class PropertyCollector {
  readonly #found: Record<Command, Map<string, unknown>> = {
    connect: new Map(),
    publish: new Map(),
    subscribe: new Map(),
    unsubscribe: new Map(),
    disconnect: new Map(),
    will: new Map(),
  };

  /** `words`: command, name, value; for `user-property` command, name, key, value. */
  add(words: readonly string[]): string | null {
    const [commandWord = '', name = '', first = '', second = ''] = words;
    const command = commandWord.toLowerCase();
    if (otherCommands.has(command)) return `${commandWord} packets cannot be given properties here`;
    const found = Object.hasOwn(this.#found, command) ? this.#found[command as Command] : undefined;
    if (found === undefined)
      return `'${commandWord}' is no packet with properties; there are ${Object.keys(this.#found).join(', ')}`;
    const spec = properties.get(name);
    if (spec === undefined) return `there is no property '${name}' that a client sends`;
    if (!spec.commands.includes(command as Command))
      return `${name} is no property of ${command}, but of ${spec.commands.join(' and ')}`;
    if (spec.kind === 'pair') {
      const pairs = (found.get(spec.field) ?? []) as readonly UserProperty[];
      found.set(spec.field, [...pairs, [first, second]]);
      return null;
    }
    if (found.has(spec.field)) return `${name} of ${command} is given twice`;
    const value = valueOf(spec, first);
    if (value === undefined) return `${name} takes ${rangeOf(spec)}, not '${first}'`;
    found.set(spec.field, value);
    return null;
  }

  get all(): ToolProperties {
    return Object.fromEntries(
      Object.entries(this.#found).map(([command, values]) => [command, Object.fromEntries(values)]),
    ) as unknown as ToolProperties;
  }
}

function valueOf(spec: PropertySpec, text: string): unknown {
  if (spec.kind === 'text') return text;
  if (spec.kind === 'bytes') {
    const bytes = Buffer.from(text);
    return bytes.length <= 0xffff ? bytes : undefined;
  }
  if (spec.kind === 'flag') return text === '1' ? true : text === '0' ? false : undefined;
  const number = text.trim() === '' ? Number.NaN : Number(text);
  const { minimum = 0, maximum = 0 } = spec;
  return Number.isInteger(number) && number >= minimum && number <= maximum ? number : undefined;
}

function rangeOf(spec: PropertySpec): string {
  if (spec.kind === 'flag') return '0 or 1';
  if (spec.kind === 'bytes') return 'at most 65535 bytes';
  return `a whole number from ${spec.minimum} to ${spec.maximum}`;
}

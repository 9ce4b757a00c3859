import type { PublishProperties, Qos } from '#mqtt';
import { byteText, json, parseJson, printJson, type JsonNode } from './json-text.ts';
import { isoTime, isoTimeWithMicroseconds, timeField, type LocalTime } from './local-time.ts';

/** A message as the tools print it. */
export interface PrintedMessage {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: Qos;
  readonly retain: boolean;
  /** 0 at QoS 0. */
  readonly packetId: number;
  readonly properties: PublishProperties | null;
}

/** What a format is printed with. A string of `print` holds bytes, a character each (latin1). */
export interface FormatContext {
  readonly time: LocalTime;
  readonly pretty: boolean;
  /** For what cannot be printed as asked. */
  readonly complain: (what: string) => void;
}

type Segment = (message: PrintedMessage, context: FormatContext) => string;

/** A compiled `-F`. */
export interface OutputFormat {
  print(message: PrintedMessage, context: FormatContext): string;
}

/** `%-08.3:x`: left-aligned, padded with zeros, at least 8 wide, 3 and a separator of the groups of hexadecimal digits. */
interface Field {
  readonly isLeft: boolean;
  readonly pad: string;
  readonly width: number;
  /** -1: none. */
  readonly precision: number;
  readonly separator: string;
}

type Specifier = (message: PrintedMessage, field: Field, context: FormatContext) => string;

const escapes: ReadonlyMap<string, string> = new Map([
  ['\\', '\\'],
  ['0', '\0'],
  ['a', '\u0007'],
  ['e', '\u001b'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
  ['v', '\v'],
]);

const specifiers: ReadonlyMap<string, Specifier> = new Map<string, Specifier>([
  ['%', () => '%'],
  ['A', ({ properties }, field) => numberOrBlank(properties?.topicAlias, field)],
  ['C', ({ properties }, field) => textOrBlank(properties?.contentType, field)],
  ['D', ({ properties }) => properties?.correlationData?.toString('latin1') ?? ''],
  ['E', ({ properties }, field) => numberOrBlank(properties?.messageExpiry, field)],
  ['F', ({ properties }, field) => numberOrBlank(properties?.payloadFormat, field)],
  ['I', (_message, field, { time }) => text(isoTime(time), field)],
  [
    'j',
    (message, _field, { time, pretty }) =>
      printJson(messageNode(message, time, payloadNode(message)), pretty),
  ],
  ['J', jsonWithin],
  ['l', ({ payload }, field) => number(payload.length, field)],
  ['m', ({ packetId }, field) => number(packetId, field)],
  ['P', ({ properties }) => userProperties(properties)],
  ['p', ({ payload }, field) => raw(payload, field)],
  ['q', ({ qos }) => String(qos)],
  [
    'R',
    ({ properties }, field) =>
      properties?.responseTopic === undefined ? '' : text(properties.responseTopic, field),
  ],
  ['r', ({ retain }) => (retain ? '1' : '0')],
  ['S', ({ properties }, field) => numberOrBlank(properties?.subscriptionIdentifiers[0], field)],
  ['t', ({ topic }, field) => text(topic, field)],
  ['U', (_message, _field, { time }) => `${timeField('s', time)}.${timeField('N', time)}`],
  ['x', ({ payload }, field) => hexadecimal(payload.toString('hex'), field)],
  ['X', ({ payload }, field) => hexadecimal(payload.toString('hex').toUpperCase(), field)],
  ['f', (message, field, context) => float(message, 4, field, context)],
  ['d', (message, field, context) => float(message, 8, field, context)],
]);

/** `%`, flags, width, precision, separator of hexadecimal groups, letter. */
const field = /^%(-?)(0?)(\d*)(?:\.(\d*))?([!"#$&'()*+,\-./:;<=>?@[\\\]^_`{|}~ ]?)(.)/s;

/** Reads a `-F` format. A string says what is wrong with it. */
export function compileFormat(format: string): OutputFormat | string {
  const segments: Segment[] = [];
  for (let at = 0; at < format.length;) {
    const [length, segment] = segmentAt(format, at);
    if (typeof segment === 'string') return segment;
    segments.push(segment);
    at += length;
  }
  return {
    print(message, context) {
      let printed = '';
      for (const segment of segments) printed += segment(message, context);
      return printed;
    },
  };
}

function segmentAt(format: string, at: number): readonly [length: number, segment: Segment | string] {
  const first = format[at];
  if (first === '%') return percentAt(format, at);
  if (first !== '@' && first !== '\\') {
    const length = /^[^%@\\]+/.exec(format.slice(at))?.[0].length ?? 1;
    const literal = byteText(format.slice(at, at + length));
    return [length, () => literal];
  }
  const letter = format[at + 1];
  if (letter === undefined)
    return [1, `the format ends after ${first}; write ${first}${first} for the character itself`];
  if (first === '@')
    return [2, letter === '@' ? () => '@' : (_message, { time }) => byteText(timeField(letter, time))];
  const escaped = escapes.get(letter);
  return [2, escaped === undefined ? `the format has no escape \\${letter}` : () => escaped];
}

function percentAt(format: string, at: number): readonly [length: number, segment: Segment | string] {
  const parts = field.exec(format.slice(at));
  if (parts === null) return [1, 'the format ends within a % field; write %% for the character itself'];
  const [whole, minus, zero, width, precision, separator, letter = ''] = parts;
  const specifier = specifiers.get(letter);
  if (specifier === undefined) return [1, `the format has no field %${letter}`];
  const options: Field = {
    isLeft: minus === '-',
    pad: zero === '0' ? '0' : ' ',
    width: Number(width),
    precision: precision === undefined ? -1 : Number(precision),
    separator: separator ?? '',
  };
  return [whole.length, (message, context) => specifier(message, options, context)];
}

function padTo(printed: string, { isLeft, width }: Field, pad = ' '): string {
  return isLeft ? printed.padEnd(width) : printed.padStart(width, pad);
}

/** Widths count bytes, as printf does. */
function text(value: string, options: Field): string {
  const bytes = byteText(value);
  return padTo(options.precision === -1 ? bytes : bytes.slice(0, options.precision), options);
}

function textOrBlank(value: string | undefined, options: Field): string {
  return value === undefined ? options.pad.repeat(options.width) : text(value, options);
}

function number(value: number, options: Field): string {
  return padTo(String(value), options, options.pad);
}

function numberOrBlank(value: number | undefined, options: Field): string {
  return value === undefined ? options.pad.repeat(options.width) : number(value, options);
}

/** A width is the most that is printed of a payload, too. */
function raw(payload: Buffer, options: Field): string {
  const shown = options.width === 0 ? payload : payload.subarray(0, options.width);
  return padTo(shown.toString('latin1'), options, options.pad);
}

/** A width is the most bytes that are printed; the precision makes groups of so many digits. */
function hexadecimal(digits: string, options: Field): string {
  const shown = options.width === 0 ? digits : digits.slice(0, options.width * 2);
  const padded = padTo(shown, options, options.pad);
  if (options.precision <= 0) return padded;
  const groups = padded.match(new RegExp(`.{1,${options.precision}}`, 'g')) ?? [];
  return groups.join(options.separator === '' ? ' ' : options.separator);
}

/** A payload of 4 or 8 bytes as a number of IEEE 754, in the order of this machine. */
function float({ payload }: PrintedMessage, size: 4 | 8, options: Field, context: FormatContext): string {
  if (payload.length !== size) {
    context.complain(
      `the payload is no ${size === 4 ? 'float' : 'double'}: it has ${payload.length} bytes, not ${size}`,
    );
    return '';
  }
  const value = size === 4 ? payload.readFloatLE() : payload.readDoubleLE();
  const digits = options.precision === -1 ? 6 : Math.min(options.precision, 100);
  const printed = Number.isFinite(value)
    ? fixed(value, digits)
    : String(value).toLowerCase().replace('infinity', 'inf');
  if (options.pad === '0' && !options.isLeft && printed.startsWith('-'))
    return `-${printed.slice(1).padStart(options.width - 1, '0')}`;
  return padTo(printed, options, options.pad);
}

function fixed(value: number, digits: number): string {
  const printed =
    Math.abs(value) < 1e21
      ? value.toFixed(digits)
      : `${BigInt(value)}${digits === 0 ? '' : `.${'0'.repeat(digits)}`}`;
  return Object.is(value, -0) ? `-${printed}` : printed;
}

function userProperties(properties: PublishProperties | null): string {
  return byteText((properties?.userProperties ?? []).map(([name, value]) => `${name}:${value}`).join(' '));
}

function jsonWithin(
  message: PrintedMessage,
  _field: Field,
  { time, pretty, complain }: FormatContext,
): string {
  const node = message.payload.length === 0 ? json.null : parseJson(message.payload.toString());
  if (node !== undefined) return printJson(messageNode(message, time, node), pretty);
  complain(`Error: Message payload is not valid JSON on topic ${message.topic}.`);
  return '';
}

function payloadNode({ payload }: PrintedMessage): JsonNode {
  return payload.length === 0 ? json.null : json.bytes(payload);
}

function messageNode(message: PrintedMessage, time: LocalTime, payload: JsonNode): JsonNode {
  const { topic, qos, retain, packetId, properties } = message;
  return json.object([
    ['tst', json.text(isoTimeWithMicroseconds(time))],
    ['topic', json.text(topic)],
    ['qos', json.number(qos)],
    ['retain', json.flag(retain)],
    ['payloadlen', json.number(message.payload.length)],
    ...(qos === 0 ? [] : [['mid', json.number(packetId)] as const]),
    ...(properties === null ? [] : [['properties', propertiesNode(properties)] as const]),
    ['payload', payload],
  ]);
}

/** User properties are a list of objects: a name may come twice. */
function propertiesNode(properties: PublishProperties): JsonNode {
  const members: [string, JsonNode][] = [];
  const add = (name: string, node: JsonNode | undefined): void => {
    if (node !== undefined) members.push([name, node]);
  };
  const optional = <T>(value: T | undefined, make: (value: T) => JsonNode): JsonNode | undefined =>
    value === undefined ? undefined : make(value);
  add('payload-format-indicator', optional(properties.payloadFormat, json.number));
  add('content-type', optional(properties.contentType, json.text));
  add('response-topic', optional(properties.responseTopic, json.text));
  add('correlation-data', optional(properties.correlationData, json.bytes));
  for (const identifier of properties.subscriptionIdentifiers)
    add('subscription-identifier', json.number(identifier));
  add('topic-alias', optional(properties.topicAlias, json.number));
  const pairs = properties.userProperties.map(([name, value]) =>
    json.object([[byteText(name), json.text(value)]]),
  );
  if (pairs.length > 0) add('user-properties', json.array(pairs));
  add('message-expiry-interval', optional(properties.messageExpiry, json.number));
  return json.object(members);
}

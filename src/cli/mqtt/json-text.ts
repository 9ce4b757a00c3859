/**
 * JSON in the form that mosquitto_sub prints, as text of bytes (latin1), so that a payload that is no UTF-8 stays as it is: numbers as C writes doubles, text as it is but for control characters, and
 * with `pretty` tabs, a member on each line and arrays on one.
 */
export type JsonNode =
  | { readonly kind: 'object'; readonly members: readonly (readonly [name: string, value: JsonNode])[] }
  | { readonly kind: 'array'; readonly items: readonly JsonNode[] }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'number'; readonly number: number }
  | { readonly kind: 'word'; readonly word: 'true' | 'false' | 'null' };

/** Deeper JSON is taken for a fault, as in the library that mosquitto_sub uses. */
const maximumDepth = 1000;

/** Short forms for what is written most. */
export const json = {
  text: (text: string): JsonNode => ({ kind: 'text', text: byteText(text) }),
  bytes: (bytes: Buffer): JsonNode => ({ kind: 'text', text: bytes.toString('latin1') }),
  number: (number: number): JsonNode => ({ kind: 'number', number }),
  flag: (flag: boolean): JsonNode => ({ kind: 'word', word: flag ? 'true' : 'false' }),
  null: { kind: 'word', word: 'null' } as const satisfies JsonNode,
  object: (members: readonly (readonly [string, JsonNode])[]): JsonNode => ({ kind: 'object', members }),
  array: (items: readonly JsonNode[]): JsonNode => ({ kind: 'array', items }),
};

/** The UTF-8 bytes of a text, a character each. */
export function byteText(text: string): string {
  return Buffer.from(text).toString('latin1');
}

/** Writes a node; `pretty` over several lines. */
export function printJson(node: JsonNode, pretty: boolean, depth = 0): string {
  switch (node.kind) {
    case 'text':
      return quote(node.text);
    case 'number':
      return formatNumber(node.number);
    case 'word':
      return node.word;
    case 'array': {
      const items = node.items.map((item) => printJson(item, pretty, depth + 1));
      return `[${items.join(pretty ? ', ' : ',')}]`;
    }
    default:
      return printObject(node.members, pretty, depth);
  }
}

function printObject(
  members: readonly (readonly [name: string, value: JsonNode])[],
  pretty: boolean,
  depth: number,
): string {
  const printed = members.map(
    ([name, value]) => `${quote(name)}:${pretty ? '\t' : ''}${printJson(value, pretty, depth + 1)}`,
  );
  if (!pretty) return `{${printed.join(',')}}`;
  const indent = '\t'.repeat(depth + 1);
  const lines = printed.map((member) => `${indent}${member}`).join(',\n');
  return `{\n${lines}${lines === '' ? '' : '\n'}${'\t'.repeat(depth)}}`;
}

/**
 * Reads JSON and keeps what JSON.parse does not: the order of the members and names that occur twice. `undefined` where
 * it is none.
 */
export function parseJson(text: string): JsonNode | undefined {
  try {
    JSON.parse(text);
  } catch {
    return undefined;
  }
  // What follows walks text that is known to be JSON.
  const tokens = text.matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*|true|false|null|[{}[\],:]/g);
  return readNode(tokens, nextToken(tokens), 0);
}

type Tokens = RegExpStringIterator<RegExpExecArray>;

function nextToken(tokens: Tokens): string {
  const next = tokens.next();
  return next.done === true ? '' : next.value[0];
}

function readNode(tokens: Tokens, token: string, depth: number): JsonNode | undefined {
  if (depth > maximumDepth) return undefined;
  if (token === '{') return readObject(tokens, depth);
  if (token === '[') return readArray(tokens, depth);
  if (token.startsWith('"')) return json.text(JSON.parse(token) as string);
  if (token === 'true' || token === 'false' || token === 'null') return { kind: 'word', word: token };
  return json.number(Number(token));
}

function readObject(tokens: Tokens, depth: number): JsonNode | undefined {
  const members: [string, JsonNode][] = [];
  for (let token = nextToken(tokens); token !== '}'; token = nextToken(tokens)) {
    if (token === ',') continue;
    nextToken(tokens); // the colon
    const value = readNode(tokens, nextToken(tokens), depth + 1);
    if (value === undefined) return undefined;
    members.push([byteText(JSON.parse(token) as string), value]);
  }
  return { kind: 'object', members };
}

function readArray(tokens: Tokens, depth: number): JsonNode | undefined {
  const items: JsonNode[] = [];
  for (let token = nextToken(tokens); token !== ']'; token = nextToken(tokens)) {
    if (token === ',') continue;
    const item = readNode(tokens, token, depth + 1);
    if (item === undefined) return undefined;
    items.push(item);
  }
  return { kind: 'array', items };
}

/** Only quotes, backslashes and control characters are escaped. */
function quote(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is escaped
  return `"${text.replaceAll(/["\\\u0000-\u001f]/g, (one) => JSON.stringify(one).slice(1, -1))}"`;
}

/** As C's `%1.15g`, with two digits more where 15 do not give the same number back. */
function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return 'null';
  if (Object.is(value, -0)) return '-0';
  const short = formatGeneral(value, 15);
  return Number(short) === value ? short : formatGeneral(value, 17);
}

/** C's `%g`: the shorter of plain and exponent form, without zeros at the end. */
function formatGeneral(value: number, digits: number): string {
  const [mantissa = '', exponentText = '0'] = value.toExponential(digits - 1).split('e');
  const exponent = Number(exponentText);
  const trim = (text: string): string => (text.includes('.') ? text.replace(/\.?0+$/, '') : text);
  if (exponent >= -4 && exponent < digits) return trim(value.toFixed(Math.max(0, digits - 1 - exponent)));
  return `${trim(mantissa)}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

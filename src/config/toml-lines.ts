/** A place in the configuration: `['listener', 0, 'port']`. */
export type Place = readonly (string | number)[];

/**
 * Finds the line of each key in a TOML text: the parser tells none. The text has been parsed already, so this reads
 * only as much of the grammar as places need, and takes the rest as it comes.
 */
export class TomlLines {
  readonly #text: string;
  readonly #lines = new Map<string, number>();
  /** Of each array of tables, the index of the last one so far. */
  readonly #arrays = new Map<string, number>();
  #at = 0;
  #line = 1;

  constructor(text: string) {
    this.#text = text;
    let table: Place = [];
    for (this.#skip(); this.#at < text.length; this.#skip()) {
      const before = this.#at;
      if (text[this.#at] === '[') table = this.#header();
      else this.#pair(table);
      if (this.#at === before) this.#at++; // never stand still, whatever the text
    }
  }

  /** The line of a place, else of the nearest one around it; `undefined` when nothing of it is in the text. */
  lineOf(place: Place): number | undefined {
    for (let length = place.length; length > 0; length--) {
      const line = this.#lines.get(keyOf(place.slice(0, length)));
      if (line !== undefined) return line;
    }
    return undefined;
  }

  /** `[a.b]` or `[[a.b]]`; gives the place that the keys after it belong to. */
  #header(): Place {
    const isArray = this.#text.startsWith('[[', this.#at);
    this.#at += isArray ? 2 : 1;
    const parts = this.#key();
    const place: (string | number)[] = [];
    for (const [i, part] of parts.entries()) {
      place.push(part);
      this.#mark(place);
      const key = keyOf(place);
      const last = this.#arrays.get(key);
      if (isArray && i === parts.length - 1) {
        this.#arrays.set(key, (last ?? -1) + 1);
        place.push((last ?? -1) + 1);
      } else if (last !== undefined) place.push(last);
    }
    this.#mark(place);
    while (this.#text[this.#at] === ']') this.#at++;
    return place;
  }

  #pair(table: Place): void {
    const place = [...table];
    for (const part of this.#key()) {
      place.push(part);
      this.#mark(place);
    }
    if (this.#text[this.#at] === '=') this.#at++;
    this.#skipBlanks();
    this.#value(place);
  }

  #value(place: Place): void {
    const char = this.#text[this.#at];
    if (char === '"' || char === "'") this.#string();
    else if (char === '[') this.#array(place);
    else if (char === '{') this.#inlineTable(place);
    else this.#bare();
  }

  #array(place: Place): void {
    this.#at++;
    for (let index = 0; ;) {
      this.#skip();
      const char = this.#text[this.#at];
      if (char === undefined || char === ']') break;
      const before = this.#at;
      if (char === ',') {
        index++;
        this.#at++;
      } else {
        this.#mark([...place, index]);
        this.#value([...place, index]);
      }
      if (this.#at === before) this.#at++;
    }
    this.#at++;
  }

  #inlineTable(place: Place): void {
    this.#at++;
    for (;;) {
      this.#skip();
      const char = this.#text[this.#at];
      if (char === undefined || char === '}') break;
      const before = this.#at;
      if (char === ',') this.#at++;
      else this.#pair(place);
      if (this.#at === before) this.#at++;
    }
    this.#at++;
  }

  /** A key with its dots: bare or quoted parts. */
  #key(): string[] {
    const parts: string[] = [];
    for (;;) {
      this.#skipBlanks();
      const start = this.#at;
      const char = this.#text[start];
      if (char === '"' || char === "'") {
        this.#string();
        parts.push(unquoted(this.#text.slice(start, this.#at)));
      } else {
        while (/[A-Za-z0-9_-]/.test(this.#text[this.#at] ?? '')) this.#at++;
        parts.push(this.#text.slice(start, this.#at));
      }
      this.#skipBlanks();
      if (this.#text[this.#at] !== '.') return parts;
      this.#at++;
    }
  }

  /** Past a string of any of the four kinds. */
  #string(): void {
    const quote = this.#text[this.#at] as string;
    const fence = this.#text.startsWith(quote.repeat(3), this.#at) ? quote.repeat(3) : quote;
    this.#at += fence.length;
    while (this.#at < this.#text.length && !this.#text.startsWith(fence, this.#at)) {
      if (quote === '"' && this.#text[this.#at] === '\\') this.#step();
      this.#step();
    }
    this.#at += fence.length;
    // Up to two quotes may stand before the closing fence of a long string.
    while (fence.length === 3 && this.#text[this.#at] === quote) this.#at++;
  }

  /** Past a number, a boolean or a date. */
  #bare(): void {
    while (this.#at < this.#text.length && !/[\s,\]}#]/.test(this.#text[this.#at] as string)) this.#at++;
  }

  /** Past blanks, line ends and comments. */
  #skip(): void {
    for (;;) {
      const char = this.#text[this.#at];
      if (char === '#') while (this.#at < this.#text.length && this.#text[this.#at] !== '\n') this.#at++;
      else if (char === ' ' || char === '\t' || char === '\r' || char === '\n') this.#step();
      else return;
    }
  }

  #skipBlanks(): void {
    while (this.#text[this.#at] === ' ' || this.#text[this.#at] === '\t') this.#at++;
  }

  #step(): void {
    if (this.#text[this.#at] === '\n') this.#line++;
    this.#at++;
  }

  #mark(place: Place): void {
    const key = keyOf(place);
    if (!this.#lines.has(key)) this.#lines.set(key, this.#line);
  }
}

function keyOf(place: Place): string {
  return JSON.stringify(place);
}

function unquoted(text: string): string {
  if (text.startsWith("'")) return text.slice(1, -1);
  try {
    return JSON.parse(text) as string; // the escapes that keys use are those of JSON
  } catch {
    return text.slice(1, -1);
  }
}

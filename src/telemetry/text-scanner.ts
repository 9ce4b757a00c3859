/**
 * Reads a short text from left to right, strictly. The first thing that is not as it must be sets `fault`, which names
 * the place (counted from 1) and what was expected there; every reader returns whether to go on.
 * One scanner is reused for all messages: nothing is allocated for a text that is right.
 */
export class TextScanner {
  fault = '';
  #text = '';
  #at = 0;

  start(text: string): void {
    this.#text = text;
    this.#at = 0;
    this.fault = '';
  }

  /** True and past it when the text goes on with `expected`; sets no fault. */
  skip(expected: string): boolean {
    if (!this.#text.startsWith(expected, this.#at)) return false;
    this.#at += expected.length;
    return true;
  }

  literal(expected: string): boolean {
    return this.skip(expected) || this.#expected(`"${expected}"`, this.#at);
  }

  /** A decimal number without leading zeros, at most `maximum`; -1 when there is none. */
  number(what: string, maximum: number): number {
    const start = this.#at;
    let value = 0;
    let at = start;
    for (; at < this.#text.length; at += 1) {
      const digit = this.#text.charCodeAt(at) - 48;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
      if (value > maximum) break;
    }
    const hasLeadingZero = at - start > 1 && this.#text.charCodeAt(start) === 48;
    if (at === start || value > maximum || hasLeadingZero) {
      this.#expected(`${what} (0 to ${maximum}, no leading zeros)`, start);
      return -1;
    }
    this.#at = at;
    return value;
  }

  /** A word that begins with a letter and goes on with letters, digits, `_` or `-`; empty when there is none. */
  word(what: string, maximumLength: number): string {
    const start = this.#at;
    let at = start;
    while (
      at < this.#text.length &&
      at - start <= maximumLength &&
      isWordCode(this.#text.charCodeAt(at), at === start)
    )
      at += 1;
    if (at === start || at - start > maximumLength) {
      this.#expected(`${what} (a letter, then letters, digits, _ or -, at most ${maximumLength})`, start);
      return '';
    }
    this.#at = at;
    return this.#text.slice(start, at);
  }

  /** An IPv4 address in dotted form; empty when there is none. */
  ipv4(): string {
    const start = this.#at;
    for (let part = 0; part < 4; part += 1) {
      if (part > 0 && !this.literal('.')) return '';
      if (this.number('a part of an IPv4 address', 255) < 0) return '';
    }
    return this.#text.slice(start, this.#at);
  }

  /** Six pairs of hexadecimal digits with colons between them; empty when there are none. */
  mac(): string {
    const start = this.#at;
    for (let i = 0; i < 17; i += 1) {
      const code = this.#text.charCodeAt(start + i);
      const isRight = i % 3 === 2 ? code === 58 : isHexCode(code);
      if (!isRight) {
        this.#expected(
          i % 3 === 2 ? '":" of a MAC address' : 'a hexadecimal digit of a MAC address',
          start + i,
        );
        return '';
      }
    }
    this.#at = start + 17;
    return this.#text.slice(start, this.#at);
  }

  end(): boolean {
    return this.#at === this.#text.length || this.#expected('the end', this.#at);
  }

  /** Sets a fault of the caller's own at the present place. */
  refuse(what: string): void {
    this.#expected(what, this.#at);
  }

  #expected(what: string, at: number): false {
    this.fault = `character ${at + 1}: expected ${what}${at >= this.#text.length ? ', but the text ends' : ''}`;
    return false;
  }
}

function isWordCode(code: number, isFirst: boolean): boolean {
  if ((code >= 65 && code <= 90) || (code >= 97 && code <= 122)) return true;
  return !isFirst && ((code >= 48 && code <= 57) || code === 95 || code === 45);
}

/** `NaN`, past the end of the text, is no digit. */
function isHexCode(code: number): boolean {
  return (code >= 48 && code <= 57) || (code >= 65 && code <= 70) || (code >= 97 && code <= 102);
}

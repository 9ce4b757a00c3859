/** One line of a password file: a user's, or one that is kept as it is. */
interface Line {
  readonly text: string;
  readonly name: string | undefined;
  /** What stands behind the first colon. */
  readonly secret: string;
}

/** A password file as text: comments, empty lines and the order stay as they are. */
export class PasswdText {
  readonly #lines: Line[];

  /** Throws a RangeError that names the line which is neither a user's, nor empty, nor a comment. */
  constructor(text: string) {
    const raw = text.split('\n');
    if (raw.at(-1) === '') raw.pop();
    this.#lines = raw.map((line, index) => readLine(line, index + 1));
  }

  get users(): readonly { readonly name: string; readonly secret: string }[] {
    return this.#lines.flatMap(({ name, secret }) => (name === undefined ? [] : [{ name, secret }]));
  }

  has(name: string): boolean {
    return this.#lines.some((line) => line.name === name);
  }

  /** Puts the user's line in the place of the old one, or at the end. */
  set(name: string, secret: string): void {
    const line = { text: `${name}:${secret}`, name, secret };
    const at = this.#lines.findIndex((one) => one.name === name);
    if (at === -1) this.#lines.push(line);
    else this.#lines[at] = line;
  }

  /** False: there is no such user. */
  remove(name: string): boolean {
    const at = this.#lines.findIndex((line) => line.name === name);
    if (at !== -1) this.#lines.splice(at, 1);
    return at !== -1;
  }

  toString(): string {
    return this.#lines.map((line) => `${line.text}\n`).join('');
  }
}

function readLine(raw: string, number: number): Line {
  const text = raw.replace(/\r$/, '');
  if (text.trim() === '' || text.startsWith('#')) return { text: raw, name: undefined, secret: '' };
  const colon = text.indexOf(':');
  if (colon < 1) throw new RangeError(`line ${number} is not of the form name:hash`);
  return { text: raw, name: text.slice(0, colon), secret: text.slice(colon + 1).trim() };
}

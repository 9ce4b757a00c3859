import { createHmac, randomBytes } from 'node:crypto';
import { DavylampError, type Clock } from '#base';
import { HashTurns, localApplicant, type Applicant } from './hash-turns.ts';
import { parsePasswordHash, verifyPassword, type PasswordHash } from './password-hash.ts';

/** How long a password that was right is known to be right: long enough for a network that flaps. */
const rememberedMs = 600_000;
const maximumRemembered = 10_000;

interface User {
  readonly line: string;
  readonly hash: PasswordHash;
}

/** `busy`: too many are being verified; the client may try again. */
export type Verdict = 'right' | 'wrong' | 'busy';

/**
 * The users of one password file, in the form that mosquitto_passwd writes: `name:hash`, a line each; empty lines and
 * lines that begin with `#` say nothing.
 *
 * Verifying takes milliseconds of a processor, so it has its turns; who gets none is told `busy`. What was right is
 * remembered for ten minutes by an HMAC under a key that only this process has, so that a network that comes back does not
 * cost all of it again. A name that is not in the file costs what a wrong password costs.
 */
export class PasswordFile {
  #users: ReadonlyMap<string, User>;
  /** Verified in place of a user that does not exist. */
  #stranger: PasswordHash;
  readonly #clock: Clock;
  readonly #key = randomBytes(32);
  /** HMAC → until when it is known. In the order of their expiry. */
  readonly #remembered = new Map<string, number>();
  readonly #turns: HashTurns;

  /**
   * Throws `CREDENTIALS_INVALID` that names file and line when a line is broken: nobody gets in by accident. Files of one
   * program share its turns.
   */
  constructor(text: string, file: string, clock: Clock, turns: HashTurns = new HashTurns()) {
    this.#users = parseUsers(text, file);
    this.#stranger = strangerLike(this.#users);
    this.#clock = clock;
    this.#turns = turns;
  }

  get size(): number {
    return this.#users.size;
  }

  /** Takes a changed file; throws as the constructor does, and then keeps the old one. */
  replace(text: string, file: string): void {
    this.prepare(text, file)();
  }

  /** Reads a changed file and gives what makes it hold; throws as the constructor does. */
  prepare(text: string, file: string): () => void {
    const users = parseUsers(text, file);
    return () => {
      this.#users = users;
      this.#stranger = strangerLike(users);
    };
  }

  /** Changes with the user's line: what a client came in by. `undefined` = there is no such user. */
  ticketOf(name: string): string | undefined {
    return this.#users.get(name)?.line;
  }

  async verify(name: string, password: Buffer, applicant: Applicant = localApplicant): Promise<Verdict> {
    const user = this.#users.get(name);
    const mark = user === undefined ? undefined : this.#markOf(name, password, user);
    if (mark !== undefined && (this.#remembered.get(mark) ?? 0) > this.#clock.monotonic()) return 'right';
    if (!(await this.#turns.enter(applicant))) return 'busy';
    try {
      const isRight = await verifyPassword(user?.hash ?? this.#stranger, password);
      if (!isRight || mark === undefined) return 'wrong';
      this.#remember(mark);
      return 'right';
    } finally {
      this.#turns.leave();
    }
  }

  /** Lengths first, so that no two pairs of name and password make the same text. */
  #markOf(name: string, password: Buffer, user: User): string {
    const head = `${name.length}:${password.length}:${name}`;
    return createHmac('sha256', this.#key).update(head).update(password).update(user.line).digest('base64');
  }

  #remember(mark: string): void {
    const now = this.#clock.monotonic();
    this.#remembered.delete(mark);
    this.#remembered.set(mark, now + rememberedMs);
    for (const [old, until] of this.#remembered) {
      if (until > now && this.#remembered.size <= maximumRemembered) break;
      this.#remembered.delete(old);
    }
  }
}

function parseUsers(text: string, file: string): Map<string, User> {
  const users = new Map<string, User>();
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.replace(/\r$/, '');
    if (line.trim() === '' || line.startsWith('#')) continue;
    const colon = line.indexOf(':');
    const name = line.slice(0, colon);
    const fault = (why: string): DavylampError =>
      new DavylampError('CREDENTIALS_INVALID', `${file}:${index + 1}: ${why}`);
    if (colon === -1) throw fault('not a line of the form name:hash; write it with davylamp passwd');
    if (name === '') throw fault('the user name is empty; remove the line');
    if (users.has(name))
      throw fault(`user ${JSON.stringify(name)} stands here a second time; remove one of the two lines`);
    const hash = parsePasswordHash(line.slice(colon + 1).trimEnd());
    if (typeof hash === 'string') throw fault(`user ${JSON.stringify(name)}: ${hash}`);
    users.set(name, { line, hash });
  }
  return users;
}

/** A hash as the first user's, of a password that nobody has. */
function strangerLike(users: ReadonlyMap<string, User>): PasswordHash {
  const [first] = users.values();
  const digest = randomBytes(64);
  if (first === undefined) return { kind: 'pbkdf2-sha512', iterations: 1000, salt: randomBytes(16), digest };
  return {
    ...first.hash,
    salt: randomBytes(first.hash.salt.length),
    digest: randomBytes(first.hash.digest.length),
  };
}

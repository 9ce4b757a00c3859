import { DavylampError, SystemClock, messageOf, type Clock } from '#base';
import type { Authenticator, Authorizer, EnhancedAuthenticator } from '#broker';
import type { ListenerConfig } from '#config';
import { AccessList, allowAll, parseAccessRules } from './access-list.ts';
import { createAuthenticator } from './authenticator.ts';
import { HashTurns } from './hash-turns.ts';
import { PasswordFile } from './password-file.ts';
import { ReplaceableAuthorizer } from './replaceable-authorizer.ts';
import { createScramAuthenticator, ScramFile } from './scram-server.ts';
import { privacyWarnings, readTextFile } from './secure-files.ts';

/** A listener's trust rules, ready to be asked. Its parts stay the same objects when the rules change. */
export interface Trust {
  readonly authenticator: Authenticator;
  readonly authorizer: Authorizer;
  /** `null` where no method of enhanced authentication is known; asked again after a reload. */
  readonly enhancedAuthenticator: EnhancedAuthenticator | null;
  /** For the log: files with secrets that others can read. */
  readonly warnings: readonly string[];
  /**
   * The first half of a reload: reads and checks everything that `listener` names now, and changes nothing. Rejects as
   * `loadTrust` does: then the old rules stand. After `commit`, let the broker review its clients.
   */
  prepareReload(listener: ListenerConfig): Promise<PreparedTrust>;
}

/** Rules that were read and hold from `commit` on, all at once. */
export interface PreparedTrust {
  readonly warnings: readonly string[];
  /** Cannot fail. */
  commit(): void;
}

export interface TrustOptions {
  readonly clock?: Clock;
  /** The turns in which passwords are verified, for all listeners of one program. Default: this one has its own. */
  readonly turns?: HashTurns;
}

/**
 * Reads a listener's password, SCRAM and access files. Throws `FILE_UNREADABLE` or `CREDENTIALS_INVALID`, naming listener,
 * file and line: a listener whose rules cannot be read must not open.
 */
export async function loadTrust(listener: ListenerConfig, options: TrustOptions = {}): Promise<Trust> {
  const trust = new ListenerTrust(options.clock ?? new SystemClock(), options.turns ?? new HashTurns());
  const first = await trust.prepareReload(listener);
  first.commit();
  return trust;
}

class ListenerTrust implements Trust {
  readonly authenticator: Authenticator;
  readonly authorizer = new ReplaceableAuthorizer();
  warnings: readonly string[] = [];
  readonly #clock: Clock;
  readonly #turns: HashTurns;
  /** Asked in place of the rules of now, so that whoever holds them asks the new ones. */
  readonly #enhanced: EnhancedAuthenticator;
  #passwords: PasswordFile | null = null;
  #rules: Authenticator = { authenticate: () => ({ reasonCode: 0x87, detail: 'no rules yet' }) };
  #scramFile: ScramFile | null = null;
  #scram: EnhancedAuthenticator | null = null;

  constructor(clock: Clock, turns: HashTurns) {
    this.#clock = clock;
    this.#turns = turns;
    this.authenticator = {
      authenticate: (credentials) => this.#rules.authenticate(credentials),
      isStillWelcome: (identity, ticket) =>
        this.#scramFile?.isTicket(identity.name, ticket) === true ||
        this.#rules.isStillWelcome?.(identity, ticket) === true,
    };
    const methods = (): readonly string[] => this.#scram?.methods ?? [];
    const begin: EnhancedAuthenticator['begin'] = (method, credentials) => {
      const scram = this.#scram;
      if (scram !== null) return scram.begin(method, credentials);
      return { step: () => ({ kind: 'failure', reasonCode: 0x87, detail: 'the method is gone' }) };
    };
    this.#enhanced = {
      get methods() {
        return methods();
      },
      begin,
    };
  }

  get enhancedAuthenticator(): EnhancedAuthenticator | null {
    return this.#scram === null ? null : this.#enhanced;
  }

  async prepareReload(listener: ListenerConfig): Promise<PreparedTrust> {
    const { passwordFile, scramFile, accessFile } = listener;
    const passwords = passwordFile === null ? null : await this.#readPasswords(listener, passwordFile);
    const scram = scramFile === null ? null : await readScram(listener, scramFile);
    const access = accessFile === null ? allowAll : await readAccess(listener, accessFile);
    const secrets = [passwordFile, scramFile, listener.tls?.keyFile ?? null].filter((file) => file !== null);
    const who = `listener ${listener.name}:`;
    const warnings = (await privacyWarnings(secrets)).map((line) => `${who} ${line}`);
    return { warnings, commit: () => this.#commit(listener, { passwords, scram, access, warnings }) };
  }

  /** The file in use takes the new text when it is committed, so that it remembers whom it has verified. */
  async #readPasswords(listener: ListenerConfig, file: string): Promise<() => PasswordFile> {
    const who = `listener ${listener.name}:`;
    const text = await readTextFile(`${who} password file`, file);
    const known = this.#passwords;
    if (known === null) {
      const fresh = named(who, () => new PasswordFile(text, file, this.#clock, this.#turns));
      return () => fresh;
    }
    const replace = named(who, () => known.prepare(text, file));
    return () => {
      replace();
      return known;
    };
  }

  #commit(listener: ListenerConfig, read: ReadRules): void {
    this.#passwords = read.passwords === null ? null : read.passwords();
    this.#scramFile = read.scram;
    const { requireCertificate } = listener;
    this.#scram =
      read.scram === null ? null : createScramAuthenticator({ users: read.scram, requireCertificate });
    this.#rules = authenticatorOf(listener, this.#passwords);
    this.authorizer.replace(read.access);
    this.warnings = read.warnings;
  }
}

interface ReadRules {
  readonly passwords: (() => PasswordFile) | null;
  readonly scram: ScramFile | null;
  readonly access: Authorizer;
  readonly warnings: readonly string[];
}

function authenticatorOf(listener: ListenerConfig, passwords: PasswordFile | null): Authenticator {
  const { requirePassword, allowAnonymous, requireCertificate, identityFromCertificate } = listener;
  const { certificateIdentity, identityFromPsk } = listener;
  return createAuthenticator({
    passwords,
    requirePassword,
    allowAnonymous,
    requireCertificate,
    identityFromCertificate,
    ...(certificateIdentity === undefined ? {} : { certificateIdentity }),
    ...(identityFromPsk === undefined ? {} : { identityFromPsk }),
  });
}

async function readScram({ name }: ListenerConfig, file: string): Promise<ScramFile> {
  const who = `listener ${name}:`;
  const text = await readTextFile(`${who} SCRAM file`, file);
  return named(who, () => new ScramFile(text, file));
}

async function readAccess({ name }: ListenerConfig, file: string): Promise<AccessList> {
  const who = `listener ${name}:`;
  const text = await readTextFile(`${who} access file`, file);
  return named(who, () => new AccessList(parseAccessRules(text, file)));
}

function named<T>(who: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof DavylampError)) throw error;
    throw new DavylampError(error.code, `${who} ${messageOf(error)}`, { cause: error });
  }
}

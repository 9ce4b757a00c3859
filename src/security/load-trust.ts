import { DavylampError, SystemClock, messageOf, type Clock } from '#base';
import type { Authenticator, Authorizer, EnhancedAuthenticator } from '#broker';
import type { ListenerConfig } from '#config';
import { AccessList, allowAll, parseAccessRules } from './access-list.ts';
import { createAuthenticator } from './authenticator.ts';
import { PasswordFile } from './password-file.ts';
import { createScramAuthenticator, ScramFile } from './scram-server.ts';
import { privacyWarnings, readTextFile } from './secure-files.ts';

/** A listener's trust rules, ready to be asked. */
export interface Trust {
  readonly authenticator: Authenticator;
  readonly authorizer: Authorizer;
  /** `null` where no method of enhanced authentication is known. */
  readonly enhancedAuthenticator: EnhancedAuthenticator | null;
  /** For the log: files with secrets that others can read. */
  readonly warnings: readonly string[];
}

/**
 * Reads a listener's password, SCRAM and access files. Throws `FILE_UNREADABLE` or `CREDENTIALS_INVALID`, naming listener,
 * file and line: a listener whose rules cannot be read must not open.
 */
export async function loadTrust(
  listener: ListenerConfig,
  options: { readonly clock?: Clock } = {},
): Promise<Trust> {
  const clock = options.clock ?? new SystemClock();
  const who = `listener ${listener.name}:`;
  let passwords: PasswordFile | null = null;
  if (listener.passwordFile !== null) {
    const text = await readTextFile(`${who} password file`, listener.passwordFile);
    passwords = named(who, () => new PasswordFile(text, listener.passwordFile ?? '', clock));
  }
  let authorizer: Authorizer = allowAll;
  if (listener.accessFile !== null) {
    const text = await readTextFile(`${who} access file`, listener.accessFile);
    authorizer = named(who, () => new AccessList(parseAccessRules(text, listener.accessFile ?? '')));
  }
  let enhancedAuthenticator: EnhancedAuthenticator | null = null;
  if (listener.scramFile !== null) {
    const text = await readTextFile(`${who} SCRAM file`, listener.scramFile);
    const users = named(who, () => new ScramFile(text, listener.scramFile ?? ''));
    const { requireCertificate } = listener;
    enhancedAuthenticator = createScramAuthenticator({ users, requireCertificate });
  }
  const { requirePassword, allowAnonymous, requireCertificate, identityFromCertificate } = listener;
  const secrets = [listener.passwordFile, listener.scramFile, listener.tls?.keyFile ?? null].filter(
    (file) => file !== null,
  );
  return {
    authenticator: createAuthenticator({
      passwords,
      requirePassword,
      allowAnonymous,
      requireCertificate,
      identityFromCertificate,
    }),
    authorizer,
    enhancedAuthenticator,
    warnings: (await privacyWarnings(secrets)).map((line) => `${who} ${line}`),
  };
}

function named<T>(who: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof DavylampError)) throw error;
    throw new DavylampError(error.code, `${who} ${messageOf(error)}`, { cause: error });
  }
}

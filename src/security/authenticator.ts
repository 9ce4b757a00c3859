import type { AuthenticationResult, Authenticator, Credentials } from '#broker';
import { ReasonCode } from '#mqtt';
import type { PasswordFile } from './password-file.ts';

/** What a listener asks of its clients. */
export interface AuthenticatorOptions {
  /** `null`: passwords are not known here. */
  readonly passwords: PasswordFile | null;
  readonly requirePassword: boolean;
  readonly allowAnonymous: boolean;
  readonly requireCertificate: boolean;
  readonly identityFromCertificate: boolean;
  /** What of the certificate is the name; wins over `identityFromCertificate`, which means the common name. */
  readonly certificateIdentity?: 'common-name' | 'subject';
  /** The identity whose key the client has proved to know (TLS-PSK) is its name. */
  readonly identityFromPsk?: boolean;
}

/**
 * Decides who a client is. In this order, and each check stands whatever another said:
 *
 * 1. Where a certificate is required, none = refused (the TLS layer has verified the one there is).
 * 2. A password without a user name is refused.
 * 3. Where there is a password file, a user name must come with its right password: then that is the name. A wrong or
 *    missing password is refused, never treated as anonymous.
 * 4. Where a password is required, no user name = refused.
 * 5. With `identityFromCertificate` or `certificateIdentity` the certificate's common name or subject is the name, with
 *    `identityFromPsk` the identity of the shared key.
 * 6. With a required certificate, or where anonymous clients are allowed, the client has no name. A user name that
 *    nothing here can verify never becomes one.
 * 7. Everybody else is refused.
 */
export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const { passwords, requirePassword, requireCertificate } = options;
  return {
    authenticate(credentials: Credentials) {
      const { peer, username, password } = credentials;
      if (requireCertificate && peer.certificate === null) return refused('no client certificate');
      if (username === undefined && password !== undefined) return wrong('a password without a user name');
      if (passwords !== null && username !== undefined) {
        return password === undefined
          ? wrong('a user name without a password')
          : verified(passwords, username, password, credentials);
      }
      if (requirePassword) return refused('no user name and password');
      return byCertificate(options, credentials);
    },
    isStillWelcome({ name }, ticket) {
      const isProven = ticket === byCertificateTicket || ticket === byPskTicket;
      if (!isProven && ticket !== anonymousTicket)
        return name !== null && passwords !== null && passwords.ticketOf(name) === ticket;
      if (requirePassword || (requireCertificate && ticket !== byCertificateTicket)) return false;
      if (name === null) return requireCertificate || options.allowAnonymous;
      return ticket === byPskTicket ? options.identityFromPsk === true : identityOf(options) !== null;
    },
  };
}

/** What a client came in by that gave no password; no line of a password file looks like these. */
const anonymousTicket = 'anonymous';
const byCertificateTicket = 'certificate';
const byPskTicket = 'psk';

/** What of a certificate is the name; `null` = nothing. */
function identityOf(options: AuthenticatorOptions): 'common-name' | 'subject' | null {
  return options.certificateIdentity ?? (options.identityFromCertificate ? 'common-name' : null);
}

async function verified(
  passwords: PasswordFile,
  username: string,
  password: Buffer,
  { peer, isWaiting }: Credentials,
): Promise<AuthenticationResult> {
  // The line that it is verified by, even where the file changes meanwhile.
  const ticket = passwords.ticketOf(username) ?? 'nobody';
  const applicant = { address: peer.address, ...(isWaiting === undefined ? {} : { isWaiting }) };
  const verdict = await passwords.verify(username, password, applicant);
  if (verdict === 'right') return { reasonCode: ReasonCode.Success, name: username, ticket };
  if (verdict === 'busy') return { reasonCode: ReasonCode.ServerBusy, detail: 'too many sign-ins at once' };
  return wrong('wrong user name or password');
}

function byCertificate(options: AuthenticatorOptions, { peer }: Credentials): AuthenticationResult {
  const { requireCertificate, identityFromPsk, allowAnonymous } = options;
  const certificateIdentity = identityOf(options);
  if (certificateIdentity !== null && peer.certificate !== null) {
    const { commonName, subject = '' } = peer.certificate;
    const name = certificateIdentity === 'subject' ? subject : commonName;
    const missing = certificateIdentity === 'subject' ? 'subject' : 'common name';
    return name === ''
      ? refused(`the certificate has no ${missing}`)
      : { reasonCode: ReasonCode.Success, name, ticket: byCertificateTicket };
  }
  if (identityFromPsk === true && peer.pskIdentity !== undefined && peer.pskIdentity !== '')
    return { reasonCode: ReasonCode.Success, name: peer.pskIdentity, ticket: byPskTicket };
  const ticket = peer.certificate === null ? anonymousTicket : byCertificateTicket;
  if (requireCertificate || allowAnonymous) return { reasonCode: ReasonCode.Success, name: null, ticket };
  return refused('no credentials');
}

function refused(detail: string): AuthenticationResult {
  return { reasonCode: ReasonCode.NotAuthorized, detail };
}

function wrong(detail: string): AuthenticationResult {
  return { reasonCode: ReasonCode.BadUserNameOrPassword, detail };
}

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
}

/**
 * Decides who a client is. In this order, and each check stands whatever another said:
 *
 * 1. Where a certificate is required, none = refused (the TLS layer has verified the one there is).
 * 2. A password without a user name is refused.
 * 3. Where there is a password file, a user name must come with its right password: then that is the name. A wrong or
 *    missing password is refused, never treated as anonymous.
 * 4. Where a password is required, no user name = refused.
 * 5. With `identityFromCertificate` the certificate's common name is the name.
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
          : verified(passwords, username, password);
      }
      if (requirePassword) return refused('no user name and password');
      return byCertificate(options, credentials);
    },
  };
}

async function verified(
  passwords: PasswordFile,
  username: string,
  password: Buffer,
): Promise<AuthenticationResult> {
  const verdict = await passwords.verify(username, password);
  if (verdict === 'right') return { reasonCode: ReasonCode.Success, name: username };
  if (verdict === 'busy') return { reasonCode: ReasonCode.ServerBusy, detail: 'too many sign-ins at once' };
  return wrong('wrong user name or password');
}

function byCertificate(options: AuthenticatorOptions, { peer }: Credentials): AuthenticationResult {
  const { requireCertificate, identityFromCertificate, allowAnonymous } = options;
  if (identityFromCertificate && peer.certificate !== null) {
    const { commonName } = peer.certificate;
    return commonName === ''
      ? refused('the certificate has no common name')
      : { reasonCode: ReasonCode.Success, name: commonName };
  }
  if (requireCertificate || allowAnonymous) return { reasonCode: ReasonCode.Success, name: null };
  return refused('no credentials');
}

function refused(detail: string): AuthenticationResult {
  return { reasonCode: ReasonCode.NotAuthorized, detail };
}

function wrong(detail: string): AuthenticationResult {
  return { reasonCode: ReasonCode.BadUserNameOrPassword, detail };
}

/** Level 3: passwords, access lists, certificates: who may come in and what they may do. */
export { HashTurns, type Applicant } from './hash-turns.ts';
export { PasswordFile, type Verdict } from './password-file.ts';
export { generatePassword, hashPassword } from './password-hash.ts';
export {
  hashPasswordAs,
  isHashedPassword,
  passwordHashKinds,
  type PasswordHashKind,
} from './password-hash-kinds.ts';
export { hashScram } from './scram-sha-256.ts';
export { createScramAuthenticator, ScramFile, type ScramServerOptions } from './scram-server.ts';
export { scramSha256, type ScramClientOptions } from './scram-client.ts';
export { AccessList, allowAll, parseAccessRules, type AccessRules } from './access-list.ts';
export { createAuthenticator, type AuthenticatorOptions } from './authenticator.ts';
export {
  certificateFacts,
  createAuthority,
  issueCertificate,
  type AuthorityOptions,
  type CertificateAndKey,
  type CertificateFacts,
  type CertificateOptions,
} from './certificates.ts';
export { privacyWarnings, readTextFile, writePrivate, writePublic } from './secure-files.ts';
export { loadTrust, type PreparedTrust, type Trust, type TrustOptions } from './load-trust.ts';

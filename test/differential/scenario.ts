/**
 * What both brokers are told: a step per line, in the notation of `../helpers/wire-notation.ts`.
 *
 *   a > …             connection a (opened where it is not) sends; whatever comes is written down
 *   a connects        CONNECT with client id `a`, clean; `a resumes`: not clean (MQTT 5: session expiry of an hour)
 *   a drops           the connection breaks off
 *   a waits           until the broker closes a
 *   a answers         a acknowledges all that it has not, and what comes of that
 *   pause 2s          time passes
 *   $1, $2 …          the packet ids that the broker has used towards this client, in their order
 *
 * Both let anonymous clients do everything but read or write below `secret/`; user `u` has the password `p`.
 */
export interface Scenario {
  readonly name: string;
  readonly versions: readonly (3 | 4 | 5)[];
  readonly script: string;
}

/** MQTT 3.1.1, 3.1 and 3.2: CONNECT and CONNACK. */
import { ReasonCode } from '#mqtt';
import type { WireServerOptions } from '../../helpers/wire-server.ts';
import { runCases } from './run-cases.ts';

/** Lets in who gives the user name `u` and the password `p`, or none at all; what else is refused depends on the name. */
const guarded: NonNullable<WireServerOptions['profile']> = {
  authenticator: {
    authenticate: ({ username, password }) => {
      if (username === undefined || (username === 'u' && password?.toString() === 'p'))
        return { reasonCode: 0, name: username ?? null };
      if (username === 'busy') return { reasonCode: ReasonCode.ServerBusy, detail: 'busy' };
      if (username === 'banned') return { reasonCode: ReasonCode.NotAuthorized, detail: 'banned' };
      if (username === 'quota') return { reasonCode: ReasonCode.QuotaExceeded, detail: 'quota' };
      return { reasonCode: ReasonCode.BadUserNameOrPassword, detail: 'no' };
    },
  },
};

runCases('CONNECT: what it may be', [
  {
    name: 'the first packet must be CONNECT; nothing else is answered [MQTT-3.1.0-1] [MQTT-3.2.0-1]',
    script: `
      w connects
      w > 82[ 0001 "#" 00 ]
      w < 90[ 0001 00 ]
      a > c0 00
      a < closed
      a > 30[ "t" 'x' ]
      a < closed
      a > 82[ 0001 "t" 00 ]
      a < closed
      a > e0 00
      a < closed
      w < nothing
    `,
  },
  {
    name: 'a second CONNECT ends the connection [MQTT-3.1.0-2] [MQTT-4.8.0-1]',
    script: `
      a connects
      a > 10[ %protocol 02 0000 "a" ]
      a < closed
    `,
  },
  {
    name: 'a protocol name that is not known is not served [MQTT-3.1.2-1]',
    script: `
      a > 10[ "MQTR" 04 02 0000 "a" ] c0 00
      a < 20[ 00 01 ]
      a < closed
      a > 10[ "mqtt" 04 02 0000 "a" ] c0 00
      a < 20[ 00 01 ]
      a < closed
      a > 10[ "MQIsdp" 04 02 0000 "a" ] c0 00
      a < 20[ 00 01 ]
      a < closed
      a > 10[ "MQTT" 03 02 0000 "a" ] c0 00
      a < 20[ 00 01 ]
      a < closed
    `,
  },
  {
    name: 'a protocol level that is not supported is refused with 0x01 [MQTT-3.1.2-2] [MQTT-3.2.2-5]',
    script: `
      a > 10[ "MQTT" 01 02 0000 "a" ]
      a < 20[ 00 01 ]
      a < closed
      a > 10[ "MQTT" 02 02 0000 "a" ]
      a < 20[ 00 01 ]
      a < closed
      a > 10[ "MQTT" 00 02 0000 "a" ]
      a < 20[ 00 01 ]
      a < closed
    `,
  },
  {
    name: 'the reserved flag must be 0 [MQTT-3.1.2-3] [MQTT-3.1.4-1]',
    script: `
      a > 10[ %protocol 03 0000 "a" ]
      a < closed
    `,
  },
  {
    name: 'flags and payload must agree: will [MQTT-3.1.2-9] [MQTT-3.1.2-11] [MQTT-3.1.2-13] [MQTT-3.1.2-14] [MQTT-3.1.2-15] [MQTT-3.1.4-1]',
    script: `
      a > 10[ %protocol 06 0000 "a" ]             # a will flag without topic and message
      a < closed
      a > 10[ %protocol 06 0000 "a" "w" ]         # without a message
      a < closed
      a > 10[ %protocol 02 0000 "a" "w" "gone" ]  # fields without the flag
      a < closed
      a > 10[ %protocol 0a 0000 "a" ]             # will QoS without the flag
      a < closed
      a > 10[ %protocol 12 0000 "a" ]
      a < closed
      a > 10[ %protocol 1e 0000 "a" "w" "gone" ]  # will QoS 3
      a < closed
      a > 10[ %protocol 22 0000 "a" ]             # will retain without the flag
      a < closed
    `,
  },
  {
    name: 'flags and payload must agree: user name and password [MQTT-3.1.2-18] [MQTT-3.1.2-20] [MQTT-3.1.2-22] [MQTT-3.1.4-1]',
    script: `
      a > 10[ %protocol 02 0000 "a" "u" ]         # a user name without its flag
      a < closed
      a > 10[ %protocol 82 0000 "a" "u" "p" ]     # a password without its flag
      a < closed
      a > 10[ %protocol 42 0000 "a" "p" ]         # a password without a user name
      a < closed
    `,
  },
  {
    name: 'a flag without its user name or password is malformed [MQTT-3.1.2-19] [MQTT-3.1.2-21]',
    versions: [4],
    script: `
      a > 10[ %protocol 82 0000 "a" ]
      a < closed
      a > 10[ %protocol c2 0000 "a" "u" ]
      a < closed
    `,
  },
  {
    name: 'version 3.1 lets the fields be missing where the packet ends before them',
    versions: [3],
    script: `
      a > 10[ %protocol 82 0000 "a" ]
      a < 20[ 00 00 ]
      b > 10[ %protocol c2 0000 "b" "u" ]
      b < 20[ 00 00 ]
      c > 10[ %protocol c2 0000 "c" ]
      c < 20[ 00 00 ]
    `,
  },
  {
    name: 'a packet that is cut short is not accepted, and not answered [MQTT-3.1.4-1] [MQTT-3.1.3-3]',
    script: `
      a > 10 00
      a < closed
      a > 10[ %protocol ]
      a < closed
      a > 10[ %protocol 02 ]
      a < closed
      a > 10[ %protocol 02 00 ]
      a < closed
      a > 10[ %protocol 02 0000 ]
      a < closed
      a > 10[ %protocol 02 0000 0005 'a' ]
      a < closed
    `,
  },
  {
    name: 'texts must be UTF-8: client id, will topic, user name [MQTT-3.1.3-4] [MQTT-3.1.3-10] [MQTT-3.1.3-11]',
    script: `
      a > 10[ %protocol 02 0000 (ff) ]
      a < closed
      a > 10[ %protocol 06 0000 "a" (ff) "gone" ]
      a < closed
      a > 10[ %protocol 82 0000 "a" (ff) ]
      a < closed
    `,
  },
  {
    name: 'the fields come in their order, the password may be any bytes and empty [MQTT-3.1.3-1] [MQTT-3.1.3-3] [MQTT-3.1.2-9] [MQTT-3.1.2-19] [MQTT-3.1.2-21]',
    profile: guarded,
    script: `
      w connects
      w > 82[ 0001 "w" 02 ]
      w < 90[ 0001 02 ]
      a > 10[ %protocol ce 0000 "a" "w" "gone" "u" "p" ]
      a < 20[ 00 00 ]
      a drops
      w < 32[ "w" $id 'gone' ]
      w > 40[ $id ]
      a > 10[ %protocol c2 0000 "a" "u" 0000 ]
      a < 20[ 00 04 ]
      a < closed
      a > 10[ %protocol c2 0000 "a" "u" (ff 00) ]
      a < 20[ 00 04 ]
      a < closed
    `,
  },
]);

runCases('CONNECT: client ids', [
  {
    name: 'ids of 1 to 23 letters and digits are allowed, and longer ones [MQTT-3.1.3-5]',
    script: `
      a > 10[ %protocol 02 0000 "7" ]
      a < 20[ 00 00 ]
      b > 10[ %protocol 02 0000 "0123456789abcdefghijklm" ]
      b < 20[ 00 00 ]
      c > 10[ %protocol 02 0000 "nopqrstuvwxyzABCDEFGHIJ" ]
      c < 20[ 00 00 ]
      d > 10[ %protocol 02 0000 "KLMNOPQRSTUVWXYZ" ]
      d < 20[ 00 00 ]
      e > 10[ %protocol 02 0000 "a long one, with a blank/and a slash" ]
      e < 20[ 00 00 ]
      a < nothing
    `,
  },
  {
    name: 'the client id is what a session is known by [MQTT-3.1.3-2]',
    versions: [4],
    script: `
      a > 10[ %protocol 00 0000 "one" ]
      a < 20[ 00 00 ]
      a > e0 00
      a < closed
      b > 10[ %protocol 00 0000 "One" ]
      b < 20[ 00 00 ]
      c > 10[ %protocol 00 0000 "one" ]
      c < 20[ 01 00 ]
    `,
  },
  {
    name: 'an empty id with a clean session gets one of its own [MQTT-3.1.3-6]',
    versions: [4],
    script: `
      a > 10[ %protocol 02 0000 "" ]
      a < 20[ 00 00 ]
      b > 10[ %protocol 02 0000 "" ]
      b < 20[ 00 00 ]
      a > 82[ 0001 "t" 00 ]
      a < 90[ 0001 00 ]
      b > 30[ "t" 'x' ]
      a < 30[ "t" 'x' ]
    `,
  },
  {
    name: 'an empty id without a clean session is refused with 0x02 [MQTT-3.1.3-7] [MQTT-3.1.3-8] [MQTT-3.1.3-9] [MQTT-3.2.2-4] [MQTT-3.2.2-5]',
    script: `
      a > 10[ %protocol 00 0000 "" ]
      a < 20[ 00 02 ]
      a < closed
    `,
  },
  {
    name: 'version 3.1 has no empty id at all [MQTT-3.1.3-9]',
    versions: [3],
    script: `
      a > 10[ %protocol 02 0000 "" ]
      a < 20[ 00 02 ]
      a < closed
    `,
  },
  {
    name: 'a client that connects again ends its former connection [MQTT-3.1.4-2]',
    script: `
      a connects
      b > 10[ %protocol 02 0000 "a" ]
      b < 20[ 00 00 ]
      a < closed
      b < nothing
    `,
  },
]);

runCases('CONNACK', [
  {
    name: 'CONNACK comes first, with 0 where all is well [MQTT-3.2.0-1] [MQTT-3.1.4-4]',
    script: `
      a resumes
      a > 82[ 0001 "t" 01 ]
      a < 90[ 0001 01 ]
      a drops
      b connects
      b > 32[ "t" 0001 'x' ]
      b < 40[ 0001 ]
      a > 10[ %protocol 00 0000 "a" ] c0 00
      a < 20[ %present 00 ]
      a < 32[ "t" $id 'x' ]
      a < d0 00
    `,
  },
  {
    name: 'a clean session says that there is none before [MQTT-3.2.2-1] [MQTT-3.1.4-3]',
    script: `
      a resumes
      a > e0 00
      a < closed
      a > 10[ %protocol 02 0000 "a" ]
      a < 20[ 00 00 ]
    `,
  },
  {
    name: 'session present says whether there is one; 3.1 has no such flag [MQTT-3.2.2-2] [MQTT-3.2.2-3]',
    script: `
      a > 10[ %protocol 00 0000 "a" ]
      a < 20[ 00 00 ]
      a > e0 00
      a < closed
      a > 10[ %protocol 00 0000 "a" ]
      a < 20[ %present 00 ]
    `,
  },
  {
    name: 'a refusal has its return code, no session present, and ends the connection [MQTT-3.2.2-4] [MQTT-3.2.2-5]',
    profile: guarded,
    script: `
      a > 10[ %protocol c0 0000 "a" "u" "p" ]
      a < 20[ 00 00 ]
      a > e0 00
      a < closed
      a > 10[ %protocol c0 0000 "a" "u" "wrong" ]
      a < 20[ 00 04 ]
      a < closed
      a > 10[ %protocol 80 0000 "a" "banned" ]
      a < 20[ 00 05 ]
      a < closed
      a > 10[ %protocol 80 0000 "a" "busy" ]
      a < 20[ 00 03 ]
      a < closed
    `,
  },
  {
    name: 'a refusal for which there is no return code just ends the connection [MQTT-3.2.2-6]',
    profile: guarded,
    script: `
      a > 10[ %protocol 82 0000 "a" "quota" ]
      a < closed
    `,
  },
  {
    name: 'what comes behind a CONNECT that is refused is not looked at [MQTT-3.1.4-5]',
    profile: guarded,
    script: `
      w connects
      w > 82[ 0001 "#" 00 ]
      w < 90[ 0001 00 ]
      a > 10[ %protocol 82 0000 "a" "banned" ] 30[ "t" 'x' ] 31[ "r" 'x' ]
      a < 20[ 00 05 ]
      a < closed
      w < nothing
      w > 82[ 0002 "r" 00 ]
      w < 90[ 0002 00 ]
      w < nothing
    `,
  },
]);

// A broker must do without anything that the standard does not know: an anonymous plain client is enough.
runCases('interoperability', [
  {
    name: 'a client that uses only what the standard names is served [MQTT-7.0.0-2] [MQTT-7.1.1-1]',
    script: `
      a connects
      a > 82[ 0001 "t" 02 ]
      a < 90[ 0001 02 ]
      a > 34[ "t" 0001 'x' ]
      a < 34[ "t" $id 'x' ]
      a < 50[ 0001 ]
      a > 62[ 0001 ]
      a < 70[ 0001 ]
      a > 50[ $id ]
      a < 62[ $id ]
      a > 70[ $id ]
      a < nothing
      a > e0 00
      a < closed
    `,
  },
]);

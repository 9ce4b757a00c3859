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

const old = [4] as const;
const five = [5] as const;
const both = [4, 5] as const;

const connects: readonly Scenario[] = [
  { name: 'connect', versions: [3, 4, 5], script: 'a connects' },
  {
    name: 'connect twice on one connection',
    versions: both,
    script: 'a connects\na > 10[ %protocol 02 003c %none "a" ]',
  },
  { name: 'ping before connect', versions: both, script: 'a > c0 00' },
  { name: 'publish before connect', versions: both, script: 'a > 30[ "t" %none \'x\' ]' },
  { name: 'unknown protocol name', versions: old, script: 'a > 10[ "MQTR" 04 02 0000 "a" ]' },
  { name: 'protocol level 1', versions: old, script: 'a > 10[ "MQTT" 01 02 0000 "a" ]' },
  { name: 'protocol level 6', versions: old, script: 'a > 10[ "MQTT" 06 02 0000 00 "a" ]' },
  { name: 'MQIsdp with level 4', versions: old, script: 'a > 10[ "MQIsdp" 04 02 0000 "a" ]' },
  { name: 'reserved connect flag', versions: both, script: 'a > 10[ %protocol 03 003c %none "a" ]' },
  { name: 'reserved bits of CONNECT', versions: both, script: 'a > 11[ %protocol 02 003c %none "a" ]' },
  { name: 'connect cut short', versions: both, script: 'a > 10[ %protocol 02 ]' },
  { name: 'connect with bytes behind', versions: both, script: 'a > 10[ %protocol 02 003c %none "a" 00 ]' },
  { name: 'empty client id, clean', versions: [3, 4, 5], script: 'a > 10[ %protocol 02 003c %none "" ]' },
  { name: 'empty client id, not clean', versions: both, script: 'a > 10[ %protocol 00 003c %none "" ]' },
  { name: 'client id with U+0000', versions: both, script: 'a > 10[ %protocol 02 003c %none (61 00) ]' },
  { name: 'client id that is no UTF-8', versions: both, script: 'a > 10[ %protocol 02 003c %none (ff) ]' },
  { name: 'long client id', versions: [3, 4, 5], script: 'a > 10[ %protocol 02 003c %none "x"*200 ]' },
  { name: 'password without user name', versions: both, script: 'a > 10[ %protocol 42 003c %none "a" "p" ]' },
  {
    name: 'user name flag without user name',
    versions: [3, 4, 5],
    script: 'a > 10[ %protocol 82 003c %none "a" ]',
  },
  { name: 'right password', versions: both, script: 'a > 10[ %protocol c2 003c %none "a" "u" "p" ]' },
  { name: 'wrong password', versions: both, script: 'a > 10[ %protocol c2 003c %none "a" "u" "q" ]' },
  { name: 'unknown user', versions: both, script: 'a > 10[ %protocol c2 003c %none "a" "v" "p" ]' },
  { name: 'user name without password', versions: both, script: 'a > 10[ %protocol 82 003c %none "a" "u" ]' },
  { name: 'take-over', versions: both, script: 'a connects\nb > 10[ %protocol 02 003c %none "a" ]' },
  {
    name: 'packets behind CONNECT',
    versions: both,
    script:
      'a > 10[ %protocol 02 003c %none "a" ] 82[ 0001 %none "t" 01 ] 32[ "t" 0002 %none \'x\' ]\na > 40[ $1 ]',
  },
  {
    name: 'session present',
    versions: [3, 4, 5],
    script:
      'a resumes\na > 82[ 0001 %none "t" 01 ]\na > e0 00\na resumes\na > e0 00\na connects\na > e0 00\na resumes',
  },
  { name: 'keep alive 0', versions: both, script: 'a > 10[ %protocol 02 0000 %none "a" ]' },
  { name: 'keep alive', versions: both, script: 'a > 10[ %protocol 02 0001 %none "a" ]\na waits' },
  { name: 'ping', versions: both, script: 'a connects\na > c0 00 c0 00' },
  { name: 'bytes behind PINGREQ', versions: both, script: 'a connects\na > c0[ 00 ]' },
  { name: 'reserved bits of DISCONNECT', versions: both, script: 'a connects\na > e1 00' },
  { name: 'packet type 0', versions: both, script: 'a connects\na > 00 00' },
  { name: 'packet type 15', versions: old, script: 'a connects\na > f0 00' },
  { name: 'CONNACK from a client', versions: both, script: 'a connects\na > 20[ 00 00 %none ]' },
  { name: 'length of five bytes', versions: both, script: 'a connects\na > 30 ff ff ff ff 01' },
  { name: 'padded length', versions: both, script: 'a connects\na > c0 80 00' },
  { name: 'packet that is too large', versions: both, script: "a connects\na > 30 80 80 80 02 'x'*100" },
];

const subscribes: readonly Scenario[] = [
  {
    name: 'subscribe at each QoS',
    versions: both,
    script: 'a connects\na > 82[ 0001 %none "a" 00 "b" 01 "c" 02 ]',
  },
  { name: 'subscribe to nothing', versions: both, script: 'a connects\na > 82[ 0001 %none ]' },
  { name: 'subscribe with id 0', versions: both, script: 'a connects\na > 82[ 0000 %none "t" 00 ]' },
  { name: 'reserved bits of SUBSCRIBE', versions: both, script: 'a connects\na > 80[ 0001 %none "t" 00 ]' },
  { name: 'subscribe at QoS 3', versions: both, script: 'a connects\na > 82[ 0001 %none "t" 03 ]' },
  {
    name: 'reserved subscription options',
    versions: both,
    script: 'a connects\na > 82[ 0001 %none "t" c0 ]',
  },
  { name: 'retain handling 3', versions: five, script: 'a connects\na > 82[ 0001 00 "t" 30 ]' },
  { name: 'empty filter', versions: both, script: 'a connects\na > 82[ 0001 %none "" 00 ]' },
  {
    name: 'filter with a wildcard that does not fill its level',
    versions: both,
    script: 'a connects\na > 82[ 0001 %none "a+" 00 ]',
  },
  {
    name: 'filter with # before its end',
    versions: both,
    script: 'a connects\na > 82[ 0001 %none "ok" 00 "a/#/b" 00 ]',
  },
  { name: 'filter with U+0000', versions: both, script: 'a connects\na > 82[ 0001 %none (00) 00 ]' },
  {
    name: 'filter that may not be read',
    versions: both,
    script: 'a connects\na > 82[ 0001 %none "secret/x" 01 "t" 01 ]',
  },
  {
    name: 'unsubscribe',
    versions: both,
    script:
      'a connects\na > 82[ 0001 %none "t" 00 ]\na > a2[ 0002 %none "t" "u" ]\na > 30[ "t" %none \'x\' ]',
  },
  { name: 'unsubscribe from nothing', versions: both, script: 'a connects\na > a2[ 0001 %none ]' },
  {
    name: 'unsubscribe from a filter that cannot be',
    versions: both,
    script: 'a connects\na > a2[ 0001 %none "a/#/b" ]',
  },
  { name: 'unsubscribe from an empty filter', versions: both, script: 'a connects\na > a2[ 0001 %none "" ]' },
  { name: 'reserved bits of UNSUBSCRIBE', versions: both, script: 'a connects\na > a0[ 0001 %none "t" ]' },
  {
    name: 'the same filter again',
    versions: both,
    script:
      'a connects\na > 31[ "t" %none \'r\' ]\na > 82[ 0001 %none "t" 02 ]\na > 82[ 0002 %none "t" 00 ]\na > 32[ "t" 0003 %none \'x\' ]',
  },
  {
    name: 'the same filter again with other options',
    versions: five,
    script:
      'a connects\na > 82[ 0001 00 "t" 00 ]\na > 82[ 0002 00 "t" 0c ]\na > 31[ "t" 00 \'own\' ]\nb connects\nb > 31[ "t" 00 \'other\' ]',
  },
  {
    name: 'no-local and a retained message of its own',
    versions: five,
    script: 'a connects\na > 31[ "t" 00 \'own\' ]\na > 82[ 0001 00 "t" 04 ]',
  },
  {
    name: 'unsubscribe below a first level that nobody knows',
    versions: five,
    script: 'a connects\na > a2[ 0001 00 "$own/q" ]',
  },
  {
    name: 'unsubscribe from what another has',
    versions: both,
    script: 'a connects\na > 82[ 0001 %none "t" 00 ]\nb connects\nb > a2[ 0001 %none "t" ]',
  },
  {
    name: 'overlapping filters',
    versions: both,
    script:
      'a connects\na > 82[ 0001 %none "a/#" 00 "a/+" 02 "a/b" 01 ]\nb connects\nb > 34[ "a/b" 0001 %none \'x\' ]\nb > 62[ 0001 ]\na > 50[ $1 ]\na > 70[ $1 ]',
  },
  {
    name: 'overlapping filters with identifiers',
    versions: five,
    script:
      'a connects\na > 82[ 0001 [ 0b 01 ] "a/#" 01 ]\na > 82[ 0002 [ 0b 02 ] "a/b" 01 ]\na > 32[ "a/b" 0003 00 \'x\' ]\na > 40[ $1 ]\na > 40[ $2 ]',
  },
  {
    name: 'subscription identifier 0',
    versions: five,
    script: 'a connects\na > 82[ 0001 [ 0b 00 ] "t" 00 ]',
  },
  {
    name: 'two subscription identifiers',
    versions: five,
    script: 'a connects\na > 82[ 0001 [ 0b 01 0b 02 ] "t" 00 ]',
  },
  {
    name: 'no-local',
    versions: five,
    script:
      'a connects\na > 82[ 0001 00 "t" 04 ]\na > 30[ "t" 00 \'own\' ]\nb connects\nb > 30[ "t" 00 \'other\' ]',
  },
  {
    name: 'no-local in a shared subscription',
    versions: five,
    script: 'a connects\na > 82[ 0001 00 "$share/g/t" 04 ]',
  },
  {
    name: 'shared subscription',
    versions: five,
    script:
      'a connects\nb connects\na > 82[ 0001 00 "$share/g/t" 00 ]\nb > 82[ 0001 00 "$share/g/t" 00 ]\nc connects\nc > 30[ "t" 00 \'1\' ]\nc > 30[ "t" 00 \'2\' ]\nc > 30[ "t" 00 \'3\' ]',
  },
  {
    name: 'shared subscription without a filter',
    versions: five,
    script: 'a connects\na > 82[ 0001 00 "$share/g" 00 ]',
  },
  {
    name: 'shared subscription without a name',
    versions: five,
    script: 'a connects\na > 82[ 0001 00 "$share//t" 00 ]',
  },
  {
    name: 'shared subscription with a wildcard as name',
    versions: five,
    script: 'a connects\na > 82[ 0001 00 "$share/+/t" 00 ]',
  },
  {
    name: 'shared subscription and retained messages',
    versions: five,
    script: 'a connects\na > 31[ "t" 00 \'r\' ]\na > 82[ 0001 00 "$share/g/t" 00 ]',
  },
  {
    name: 'shared subscription of a 3.1.1 client',
    versions: old,
    script:
      'a connects\na > 82[ 0001 "$share/g/t" 00 ]\nb connects\nb > 82[ 0001 "$share/g/t" 00 ]\na > 30[ "t" \'1\' ]\na > 30[ "t" \'2\' ]',
  },
  {
    name: 'topics that begin with $',
    versions: both,
    script:
      'a connects\na > 82[ 0001 %none "#" 00 "+/x" 00 ]\nb connects\nb > 82[ 0001 %none "$own/x" 00 ]\nb > 30[ "$own/x" %none \'1\' ]',
  },
  {
    name: 'wildcards and empty levels',
    versions: old,
    script:
      'a connects\na > 82[ 0001 "a/#" 00 "+/+" 00 ]\na > 30[ "a" \'1\' ]\na > 30[ "/" \'2\' ]\na > 30[ "a//b" \'3\' ]\na > 30[ "b" \'4\' ]',
  },
];

const publishes: readonly Scenario[] = [
  {
    name: 'publish to nobody',
    versions: both,
    script: 'a connects\na > 32[ "t" 0001 %none \'x\' ]\na > 34[ "t" 0002 %none \'x\' ]\na > 62[ 0002 ]',
  },
  { name: 'publish with id 0', versions: both, script: 'a connects\na > 32[ "t" 0000 %none \'x\' ]' },
  { name: 'publish at QoS 3', versions: both, script: 'a connects\na > 36[ "t" 0001 %none \'x\' ]' },
  { name: 'DUP at QoS 0', versions: both, script: 'a connects\na > 38[ "t" %none \'x\' ]' },
  { name: 'empty topic', versions: both, script: 'a connects\na > 30[ "" %none \'x\' ]' },
  { name: 'topic with a wildcard', versions: both, script: 'a connects\na > 30[ "a/+" %none \'x\' ]' },
  { name: 'topic with U+0000', versions: both, script: "a connects\na > 30[ (61 00) %none 'x' ]" },
  { name: 'topic that is no UTF-8', versions: both, script: "a connects\na > 30[ (c3 28) %none 'x' ]" },
  {
    name: 'topic with a control character',
    versions: both,
    script: 'a connects\na > 82[ 0001 %none "#" 00 ]\na > 30[ (61 01) %none \'x\' ]',
  },
  {
    name: 'topic with a non-character',
    versions: both,
    script: 'a connects\na > 82[ 0001 %none "#" 00 ]\na > 30[ (ef bf bf) %none \'x\' ]',
  },
  {
    name: 'publish to $SYS',
    versions: both,
    script: 'a connects\na > 82[ 0001 %none "$SYS/x" 00 ]\na > 32[ "$SYS/x" 0002 %none \'x\' ]',
  },
  {
    name: 'publish that is not allowed',
    versions: both,
    script:
      'a connects\na > 30[ "secret/x" %none \'0\' ]\na > 32[ "secret/x" 0001 %none \'1\' ]\na > 34[ "secret/x" 0002 %none \'2\' ]',
  },
  {
    name: 'each QoS to each QoS',
    versions: both,
    script: [
      'z connects',
      'z > 82[ 0001 %none "t" 00 ]',
      'o connects',
      'o > 82[ 0001 %none "t" 01 ]',
      't connects',
      't > 82[ 0001 %none "t" 02 ]',
      'p connects',
      'p > 30[ "t" %none \'0\' ]',
      'p > 32[ "t" 0001 %none \'1\' ]',
      'p > 34[ "t" 0002 %none \'2\' ]',
      'p > 62[ 0002 ]',
      'o > 40[ $1 ]',
      'o > 40[ $2 ]',
      't > 40[ $1 ]',
      't > 50[ $2 ]',
      't > 70[ $2 ]',
    ].join('\n'),
  },
  {
    name: 'QoS 2 repeated before PUBREL',
    versions: both,
    script:
      'w connects\nw > 82[ 0001 %none "t" 00 ]\na connects\na > 34[ "t" 0001 %none \'x\' ]\na > 3c[ "t" 0001 %none \'x\' ]\na > 62[ 0001 ]\na > 34[ "t" 0001 %none \'y\' ]\na > 62[ 0001 ]',
  },
  {
    name: 'QoS 2 over a reconnect of the publisher',
    versions: both,
    script:
      'w connects\nw > 82[ 0001 %none "t" 00 ]\na resumes\na > 34[ "t" 0001 %none \'x\' ]\na drops\na resumes\na > 3c[ "t" 0001 %none \'x\' ]\na > 62[ 0001 ]',
  },
  { name: 'PUBREL for an id that is not known', versions: both, script: 'a connects\na > 62[ 0009 ]' },
  { name: 'PUBACK for an id that is not known', versions: both, script: 'a connects\na > 40[ 0009 ]' },
  { name: 'PUBREC for an id that is not known', versions: both, script: 'a connects\na > 50[ 0009 ]' },
  { name: 'PUBCOMP for an id that is not known', versions: both, script: 'a connects\na > 70[ 0009 ]' },
  {
    name: 'PUBACK for a message at QoS 2',
    versions: both,
    script:
      'a connects\na > 82[ 0001 %none "t" 02 ]\nb connects\nb > 34[ "t" 0001 %none \'x\' ]\nb > 62[ 0001 ]\na > 40[ $1 ]\na > c0 00',
  },
  { name: 'reserved bits of PUBREL', versions: both, script: 'a connects\na > 60[ 0001 ]' },
  { name: 'acknowledgement with id 0', versions: both, script: 'a connects\na > 40[ 0000 ]' },
  {
    name: 'retained message',
    versions: both,
    script:
      'a connects\na > 33[ "r" 0001 %none \'x\' ]\nb connects\nb > 82[ 0001 %none "r" 02 ]\nb > 40[ $1 ]',
  },
  {
    name: 'retained message to an established subscription',
    versions: both,
    script: 'a connects\na > 82[ 0001 %none "r" 00 ]\na > 31[ "r" %none \'x\' ]',
  },
  {
    name: 'retained message removed',
    versions: both,
    script:
      'a connects\na > 31[ "r" %none \'x\' ]\na > 82[ 0001 %none "#" 00 ]\na > 31[ "r" %none ]\na > 82[ 0002 %none "r" 00 ]',
  },
  {
    name: 'retain as published',
    versions: five,
    script: 'a connects\na > 82[ 0001 00 "r" 08 ]\na > 31[ "r" 00 \'x\' ]\na > 30[ "r" 00 \'y\' ]',
  },
  {
    name: 'retain handling 1',
    versions: five,
    script: 'a connects\na > 31[ "r" 00 \'x\' ]\na > 82[ 0001 00 "r" 10 ]\na > 82[ 0002 00 "r" 10 ]',
  },
  {
    name: 'retain handling 2',
    versions: five,
    script: 'a connects\na > 31[ "r" 00 \'x\' ]\na > 82[ 0001 00 "r" 20 ]',
  },
];

const sessions: readonly Scenario[] = [
  {
    name: 'messages for a client that is away',
    versions: both,
    script:
      'a resumes\na > 82[ 0001 %none "t" 02 ]\na > e0 00\nb connects\nb > 30[ "t" %none \'0\' ]\nb > 32[ "t" 0001 %none \'1\' ]\nb > 34[ "t" 0002 %none \'2\' ]\nb > 62[ 0002 ]\na resumes\na > 40[ $1 ]\na > 50[ $2 ]\na > 70[ $2 ]',
  },
  {
    name: 'repeats after a reconnect',
    versions: both,
    script:
      'a resumes\na > 82[ 0001 %none "t" 02 ]\nb connects\nb > 32[ "t" 0001 %none \'1\' ]\nb > 34[ "t" 0002 %none \'2\' ]\nb > 62[ 0002 ]\nb > 34[ "t" 0003 %none \'3\' ]\nb > 62[ 0003 ]\na > 50[ $2 ]\na drops\na resumes\na > 40[ $1 ]\na > 70[ $2 ]\na > 50[ $3 ]\na > 70[ $3 ]',
  },
  {
    name: 'take-over of a session',
    versions: both,
    script:
      'a resumes\na > 82[ 0001 %none "t" 01 ]\nb connects\nb > 32[ "t" 0001 %none \'1\' ]\nc > 10[ %protocol 00 003c %hour "a" ]\nc > 40[ 0001 ]',
  },
  {
    name: 'clean session forgets',
    versions: both,
    script:
      'a resumes\na > 82[ 0001 %none "t" 01 ]\na drops\na connects\nb connects\nb > 32[ "t" 0001 %none \'1\' ]',
  },
  {
    name: 'session expiry',
    versions: five,
    script:
      'a > 10[ %protocol 00 003c [ 11 00000001 ] "a" ]\na > e0 00\npause 4s\na > 10[ %protocol 00 003c [ 11 00000001 ] "a" ]',
  },
  {
    name: 'session expiry 0',
    versions: five,
    script: 'a > 10[ %protocol 00 003c 00 "a" ]\na > e0 00\na > 10[ %protocol 00 003c 00 "a" ]',
  },
  {
    name: 'session expiry changed at DISCONNECT',
    versions: five,
    script: 'a resumes\na > e0[ 00 [ 11 00000000 ] ]\na resumes',
  },
  {
    name: 'session expiry made of none at DISCONNECT',
    versions: five,
    script: 'a connects\na > e0[ 00 [ 11 00000005 ] ]',
  },
  {
    name: 'unsubscribe with messages waiting',
    versions: both,
    script:
      'a resumes\na > 82[ 0001 %none "t" 01 ]\nb connects\nb > 32[ "t" 0001 %none \'1\' ]\na > a2[ 0002 %none "t" ]\na drops\na resumes\na > 40[ $1 ]',
  },
  {
    name: 'receive maximum 1',
    versions: five,
    script:
      'a > 10[ %protocol 02 003c [ 21 0001 ] "a" ]\na > 82[ 0001 00 "t" 01 ]\nb connects\nb > 32[ "t" 0001 00 \'1\' ]\nb > 32[ "t" 0002 00 \'2\' ]\na > 40[ $1 ]\na > 40[ $2 ]',
  },
  { name: 'receive maximum 0', versions: five, script: 'a > 10[ %protocol 02 003c [ 21 0000 ] "a" ]' },
  {
    name: 'more in flight than the broker takes',
    versions: five,
    script: `a connects\na > ${Array.from({ length: 4 }, (_, index) => `34[ "t" ${(index + 1).toString(16).padStart(4, '0')} 00 ]`).join(' ')}`,
  },
];

const wills: readonly Scenario[] = [
  {
    name: 'will',
    versions: both,
    script:
      'w connects\nw > 82[ 0001 %none "w" 01 ]\na > 10[ %protocol 0e 003c %none "a" %none "w" "gone" ]\na drops\nw > 40[ $1 ]',
  },
  {
    name: 'will after DISCONNECT',
    versions: both,
    script:
      'w connects\nw > 82[ 0001 %none "w" 01 ]\na > 10[ %protocol 0e 003c %none "a" %none "w" "gone" ]\na > e0 00',
  },
  {
    name: 'will after DISCONNECT with will',
    versions: five,
    script:
      'w connects\nw > 82[ 0001 00 "w" 00 ]\na > 10[ %protocol 06 003c 00 "a" 00 "w" "gone" ]\na > e0[ 04 ]',
  },
  {
    name: 'will after another DISCONNECT',
    versions: five,
    script:
      'w connects\nw > 82[ 0001 00 "w" 00 ]\na > 10[ %protocol 06 003c 00 "a" 00 "w" "gone" ]\na > e0[ 80 ]',
  },
  {
    name: 'will after a violation',
    versions: both,
    script:
      'w connects\nw > 82[ 0001 %none "w" 00 ]\na > 10[ %protocol 06 003c %none "a" %none "w" "gone" ]\na > 36[ "t" 0001 %none ]',
  },
  {
    name: 'will at a take-over',
    versions: both,
    script:
      'w connects\nw > 82[ 0001 %none "w" 00 ]\na > 10[ %protocol 06 003c %none "a" %none "w" "gone" ]\nb > 10[ %protocol 02 003c %none "a" ]',
  },
  {
    name: 'retained will',
    versions: both,
    script:
      'a > 10[ %protocol 26 003c %none "a" %none "w" "gone" ]\na drops\nw connects\nw > 82[ 0001 %none "w" 00 ]',
  },
  { name: 'will QoS 3', versions: both, script: 'a > 10[ %protocol 1e 003c %none "a" %none "w" "gone" ]' },
  { name: 'will QoS without will', versions: both, script: 'a > 10[ %protocol 0a 003c %none "a" ]' },
  {
    name: 'will topic with a wildcard',
    versions: both,
    script: 'a > 10[ %protocol 06 003c %none "a" %none "w/#" "gone" ]',
  },
  {
    name: 'empty will topic',
    versions: both,
    script: 'a > 10[ %protocol 06 003c %none "a" %none "" "gone" ]',
  },
  {
    name: 'will that is not allowed',
    versions: both,
    script: 'a > 10[ %protocol 06 003c %none "a" %none "secret/w" "gone" ]',
  },
  {
    name: 'will delay',
    versions: five,
    script:
      'w connects\nw > 82[ 0001 00 "w" 00 ]\na > 10[ %protocol 06 003c [ 11 0000000a ] "a" [ 18 00000001 ] "w" "gone" ]\na drops\npause 4s',
  },
  {
    name: 'will delay and a return',
    versions: five,
    script:
      'w connects\nw > 82[ 0001 00 "w" 00 ]\na > 10[ %protocol 06 003c [ 11 0000003c ] "a" [ 18 00000001 ] "w" "gone" ]\na drops\na resumes\npause 4s',
  },
  {
    name: 'will with properties',
    versions: five,
    script:
      'w connects\nw > 82[ 0001 00 "w" 00 ]\na > 10[ %protocol 06 003c 00 "a" [ 01 01 03 "text" 26 "k" "v" ] "w" "gone" ]\na drops',
  },
];

const properties: readonly Scenario[] = [
  {
    name: 'properties of a message',
    versions: five,
    script:
      'a connects\na > 82[ 0001 00 "t" 00 ]\na > 30[ "t" [ 01 01 03 "text" 08 "r" 09 (01 02) 26 "k" "1" 26 "k" "2" ] \'x\' ]',
  },
  { name: 'a property twice', versions: five, script: 'a connects\na > 30[ "t" [ 03 "x" 03 "x" ] \'x\' ]' },
  { name: 'an unknown property', versions: five, script: 'a connects\na > 30[ "t" [ 7f 00 ] \'x\' ]' },
  {
    name: 'a property of another packet',
    versions: five,
    script: 'a connects\na > 30[ "t" [ 21 0001 ] \'x\' ]',
  },
  { name: 'a property cut short', versions: five, script: 'a connects\na > 30[ "t" 05 02 00 ]' },
  { name: 'payload format 2', versions: five, script: 'a connects\na > 30[ "t" [ 01 02 ] \'x\' ]' },
  {
    name: 'payload that is not what its format says',
    versions: five,
    script: 'a connects\na > 82[ 0001 00 "t" 00 ]\na > 30[ "t" [ 01 01 ] ff ]',
  },
  {
    name: 'response topic with a wildcard',
    versions: five,
    script: 'a connects\na > 30[ "t" [ 08 "r/+" ] \'x\' ]',
  },
  {
    name: 'subscription identifier from a client',
    versions: five,
    script: 'a connects\na > 30[ "t" [ 0b 01 ] \'x\' ]',
  },
  {
    name: 'topic alias',
    versions: five,
    script:
      'a connects\na > 82[ 0001 00 "t" 00 ]\na > 30[ "t" [ 23 0001 ] \'1\' ]\na > 30[ "" [ 23 0001 ] \'2\' ]',
  },
  { name: 'topic alias 0', versions: five, script: 'a connects\na > 30[ "t" [ 23 0000 ] \'x\' ]' },
  {
    name: 'topic alias above the maximum',
    versions: five,
    script: 'a connects\na > 30[ "t" [ 23 000b ] \'x\' ]',
  },
  {
    name: 'topic alias that stands for nothing',
    versions: five,
    script: 'a connects\na > 30[ "" [ 23 0001 ] \'x\' ]',
  },
  {
    name: 'topic aliases towards a client',
    versions: five,
    script:
      'a > 10[ %protocol 02 003c [ 22 0005 ] "a" ]\na > 82[ 0001 00 "t" 00 ]\nb connects\nb > 30[ "t" 00 \'1\' ]\nb > 30[ "t" 00 \'2\' ]',
  },
  {
    name: 'message expiry, live',
    versions: five,
    script: 'a connects\na > 82[ 0001 00 "t" 00 ]\na > 30[ "t" [ 02 0000000a ] \'x\' ]',
  },
  {
    name: 'message expiry, over',
    versions: five,
    script:
      'a resumes\na > 82[ 0001 00 "t" 01 ]\na drops\nb connects\nb > 32[ "t" 0001 [ 02 00000001 ] \'x\' ]\npause 4s\na resumes',
  },
  {
    name: 'message expiry 0',
    versions: five,
    script: 'a connects\na > 82[ 0001 00 "t" 00 ]\na > 30[ "t" [ 02 00000000 ] \'x\' ]',
  },
  {
    name: 'message larger than the client takes',
    versions: five,
    script:
      'a > 10[ %protocol 02 003c [ 27 00000020 ] "a" ]\na > 82[ 0001 00 "t" 01 ]\nb connects\nb > 32[ "t" 0001 00 \'x\'*100 ]\nb > 32[ "t" 0002 00 \'y\' ]\na > 40[ $1 ]',
  },
  {
    name: 'maximum packet size 0',
    versions: five,
    script: 'a > 10[ %protocol 02 003c [ 27 00000000 ] "a" ]',
  },
  {
    name: 'request of response information',
    versions: five,
    script: 'a > 10[ %protocol 02 003c [ 19 01 ] "a" ]',
  },
  {
    name: 'request of response information 2',
    versions: five,
    script: 'a > 10[ %protocol 02 003c [ 19 02 ] "a" ]',
  },
  {
    name: 'an authentication method that is not known',
    versions: five,
    script: 'a > 10[ %protocol 02 003c [ 15 "NONE" ] "a" ]',
  },
  {
    name: 'authentication data without a method',
    versions: five,
    script: 'a > 10[ %protocol 02 003c [ 16 (00) ] "a" ]',
  },
  { name: 'AUTH out of the blue', versions: five, script: 'a connects\na > f0[ 18 [ 15 "NONE" ] ]' },
  {
    name: 'session expiry twice',
    versions: five,
    script: 'a > 10[ %protocol 02 003c [ 11 00000001 11 00000001 ] "a" ]',
  },
  {
    name: 'PUBACK with a reason code that does not exist',
    versions: five,
    script: 'a connects\na > 82[ 0001 00 "t" 01 ]\na > 32[ "t" 0001 00 \'x\' ]\na > 40[ 0001 55 ]',
  },
  {
    name: 'PUBREC with an error',
    versions: five,
    script:
      'a connects\na > 82[ 0001 00 "t" 02 ]\na > 34[ "t" 0001 00 \'x\' ]\na > 62[ 0001 ]\na > 50[ $1 80 ]\na > c0 00',
  },
  {
    name: 'DISCONNECT with a reason code that does not exist',
    versions: five,
    script: 'a connects\na > e0[ 55 ]',
  },
  {
    name: 'user properties of SUBSCRIBE',
    versions: five,
    script: 'a connects\na > 82[ 0001 [ 26 "k" "v" ] "t" 00 ]',
  },
];

/** All of them. */
export const scenarios: readonly Scenario[] = [
  ...connects,
  ...subscribes,
  ...publishes,
  ...sessions,
  ...wills,
  ...properties,
];

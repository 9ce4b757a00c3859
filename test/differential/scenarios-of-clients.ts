import type { Scenario } from './scenario.ts';

const old = [4] as const;
const five = [5] as const;
const both = [4, 5] as const;

export const connects: readonly Scenario[] = [
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

export const sessions: readonly Scenario[] = [
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

export const wills: readonly Scenario[] = [
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

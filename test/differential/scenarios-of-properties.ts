import type { Scenario } from './scenario.ts';

const five = [5] as const;

export const properties: readonly Scenario[] = [
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

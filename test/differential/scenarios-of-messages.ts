import type { Scenario } from './scenario.ts';

const old = [4] as const;
const five = [5] as const;
const both = [4, 5] as const;

export const subscribes: readonly Scenario[] = [
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

export const publishes: readonly Scenario[] = [
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

/** MQTT 3.1.1, 3.8 to 3.14: SUBSCRIBE, UNSUBSCRIBE, DISCONNECT; and 4.7: topics and filters. */
import { openAuthorizer } from '../../helpers/broker-harness.ts';
import { runCases } from './run-cases.ts';

runCases('SUBSCRIBE', [
  {
    name: 'the reserved bits must be 2 [MQTT-3.8.1-1]',
    script: `
      a connects
      a > 80[ 0001 "t" 00 ]
      a < closed
      a connects
      a > 83[ 0001 "t" 00 ]
      a < closed
      a connects
      a > 8a[ 0001 "t" 00 ]
      a < closed
    `,
  },
  {
    name: 'filters are UTF-8 [MQTT-3.8.3-1]',
    script: `
      a connects
      a > 82[ 0001 "ok" 00 (c3) 00 ]
      a < closed
      b connects
      b > 82[ 0001 (f0 9f 94 a5) 00 ]
      b < 90[ 0001 00 ]
      b > 30[ (f0 9f 94 a5) 'x' ]
      b < 30[ (f0 9f 94 a5) 'x' ]
    `,
  },
  {
    name: 'wildcards are supported, so none has to be refused [MQTT-3.8.3-2]',
    script: `
      a connects
      a > 82[ 0001 "#" 00 "+/b" 00 "c/#" 00 ]
      a < 90[ 0001 00 00 00 ]
    `,
  },
  {
    name: 'at least one filter, each with its QoS [MQTT-3.8.3-3] [MQTT-4.8.0-1]',
    script: `
      a connects
      a > 82[ 0001 ]
      a < closed
      a connects
      a > 82[ 0001 "t" ]
      a < closed
      a connects
      a > 82[ 0001 "t" 00 "u" ]
      a < closed
    `,
  },
  {
    name: 'QoS 3 and reserved bits of the payload are malformed (3.8.3-4)',
    script: `
      a connects
      a > 82[ 0001 "t" 03 ]
      a < closed
      a connects
      a > 82[ 0001 "t" 04 ]
      a < closed
      a connects
      a > 82[ 0001 "t" 80 ]
      a < closed
    `,
  },
  {
    name: 'it is answered with its id and a code for each filter, in their order [MQTT-3.8.4-1] [MQTT-3.8.4-2] [MQTT-3.8.4-5] [MQTT-3.9.3-1] [MQTT-3.9.3-2]',
    profile: {
      authorizer: { ...openAuthorizer, maySubscribe: (_, filter) => (filter === 'secret' ? 'none' : 'all') },
    },
    script: `
      a connects
      a > 82[ 00ff "a" 02 "b" 00 "secret" 01 "c" 01 "a/#/b" 01 ]
      a < 90[ 00ff 02 00 80 01 80 ]
    `,
  },
  {
    name: 'several filters are as several packets, answered together [MQTT-3.8.4-4]',
    script: `
      a connects
      a > 31[ "r" 'kept' ] 82[ 0001 "t" 00 "r" 01 "t" 01 ]
      a < 90[ 0001 00 01 01 ]
      a < 31[ "r" 'kept' ]
      a > 32[ "t" 0001 'x' ]
      a < 32[ "t" $id 'x' ]
      a < 40[ 0001 ]
      a < nothing
    `,
  },
  {
    name: 'the same filter again replaces the subscription, and sends retained messages again [MQTT-3.8.4-3]',
    script: `
      b connects
      b > 31[ "t/r" 'kept' ]
      b < nothing
      a connects
      a > 82[ 0001 "t/+" 02 ]
      a < 90[ 0001 02 ]
      a < 31[ "t/r" 'kept' ]
      a > 82[ 0002 "t/+" 00 ]
      a < 90[ 0002 00 ]
      a < 31[ "t/r" 'kept' ]
      b > 32[ "t/1" 0001 'x' ]
      b < 40[ 0001 ]
      a < 30[ "t/1" 'x' ]
      a < nothing
      a > a2[ 0003 "t/+" ]
      a < b0[ 0003 ]
      b > 30[ "t/1" 'x' ]
      b < nothing
      a < nothing
    `,
  },
  {
    name: 'messages come at the lesser of their QoS and the one granted [MQTT-3.8.4-6]',
    script: `
      z connects
      o connects
      t connects
      z > 82[ 0001 "t" 00 ]
      z < 90[ 0001 00 ]
      o > 82[ 0001 "t" 01 ]
      o < 90[ 0001 01 ]
      t > 82[ 0001 "t" 02 ]
      t < 90[ 0001 02 ]
      p connects
      p > 30[ "t" '0' ] 32[ "t" 0001 '1' ] 34[ "t" 0002 '2' ]
      p < 40[ 0001 ]
      p < 50[ 0002 ]
      z < 30[ "t" '0' ]
      z < 30[ "t" '1' ]
      z < 30[ "t" '2' ]
      o < 30[ "t" '0' ]
      o < 32[ "t" .. .. '1' ]
      o < 32[ "t" .. .. '2' ]
      t < 30[ "t" '0' ]
      t < 32[ "t" .. .. '1' ]
      t < 34[ "t" .. .. '2' ]
    `,
  },
]);

// An extension that other brokers have as well: a client that needs it says so, no other is touched.
runCases('bridges', [
  {
    name: 'who calls itself a bridge gets RETAIN as published, and not its own messages [MQTT-7.0.0-2]',
    versions: [4],
    script: `
      a > 10[ "MQTT" 84 02 0000 "a" ]
      a < 20[ 00 00 ]
      a > 82[ 0001 "#" 01 ]
      a < 90[ 0001 01 ]
      b connects
      b > 82[ 0001 "#" 01 ]
      b < 90[ 0001 01 ]
      a > 31[ "r" 'own' ]
      b < 30[ "r" 'own' ]
      b > 31[ "r" 'other' ] 30[ "s" 'other' ]
      b < 30[ "r" 'other' ]
      b < 30[ "s" 'other' ]
      a < 31[ "r" 'other' ]
      a < 30[ "s" 'other' ]
    `,
  },
]);

runCases('UNSUBSCRIBE', [
  {
    name: 'the reserved bits must be 2 [MQTT-3.10.1-1]',
    script: `
      a connects
      a > a0[ 0001 "t" ]
      a < closed
      a connects
      a > a1[ 0001 "t" ]
      a < closed
    `,
  },
  {
    name: 'filters are UTF-8, one behind the other, and at least one [MQTT-3.10.3-1] [MQTT-3.10.3-2]',
    script: `
      a connects
      a > a2[ 0001 (c0 80) ]
      a < closed
      a connects
      a > a2[ 0001 "t" 00 ]
      a < closed
      a connects
      a > a2[ 0001 ]
      a < closed
    `,
  },
  {
    name: 'filters are compared character by character; what is deleted gives no more messages [MQTT-3.10.4-1] [MQTT-3.10.4-2]',
    script: `
      a connects
      a > 82[ 0001 "t/+" 00 "t/a" 00 ]
      a < 90[ 0001 00 00 ]
      a > a2[ 0002 "t/b" "T/+" "t/#" ]
      a < b0[ 0002 ]
      a > 30[ "t/b" '1' ]
      a < 30[ "t/b" '1' ]
      a > a2[ 0003 "t/+" ]
      a < b0[ 0003 ]
      a > 30[ "t/b" '2' ] 30[ "t/a" '3' ]
      a < 30[ "t/a" '3' ]
      a < nothing
    `,
  },
  {
    name: 'what has been begun to be sent is brought to its end [MQTT-3.10.4-3]',
    script: `
      a resumes
      a > 82[ 0001 "t" 02 ]
      a < 90[ 0001 02 ]
      b connects
      b > 32[ "t" 0001 '1' ] 34[ "t" 0002 '2' ]
      b < 40[ 0001 ]
      b < 50[ 0002 ]
      a < 32[ "t" $one '1' ]
      a < 34[ "t" $two '2' ]
      a > a2[ 0002 "t" ]
      a < b0[ 0002 ]
      a > 50[ $two ]
      a < 62[ $two ]
      a drops
      a resumes
      a < 3a[ "t" $one '1' ]
      a < 62[ $two ]
      a > 40[ $one ]
      a > 70[ $two ]
      a < nothing
    `,
  },
  {
    name: 'it is answered with its id, also when nothing is deleted, and once for several filters [MQTT-3.10.4-4] [MQTT-3.10.4-5] [MQTT-3.10.4-6]',
    script: `
      a connects
      a > a2[ 0001 "none" ]
      a < b0[ 0001 ]
      a > 82[ 0002 "a" 00 "b" 00 "c" 00 ]
      a < 90[ 0002 00 00 00 ]
      a > a2[ abcd "a" "none" "b" ]
      a < b0[ abcd ]
      a > 30[ "a" 'x' ] 30[ "b" 'x' ] 30[ "c" 'x' ]
      a < 30[ "c" 'x' ]
      a < nothing
    `,
  },
]);

runCases('DISCONNECT', [
  {
    name: 'the reserved bits must be 0, and there is nothing behind them [MQTT-3.14.1-1]',
    script: `
      w connects
      w > 82[ 0001 "w" 00 ]
      w < 90[ 0001 00 ]
      a > 10[ %protocol 06 0000 "a" "w" "gone" ]
      a < 20[ 00 00 ]
      a > e1 00
      a < closed
      w < 30[ "w" 'gone' ]
      a > 10[ %protocol 06 0000 "a" "w" "gone" ]
      a < 20[ 00 00 ]
      a > e0[ 00 ]
      a < closed
      w < 30[ "w" 'gone' ]
    `,
  },
  {
    name: 'the broker closes, and hears nothing that comes behind it [MQTT-3.14.4-2]',
    script: `
      w connects
      w > 82[ 0001 "t" 00 ]
      w < 90[ 0001 00 ]
      a connects
      a > e0 00 30[ "t" 'x' ]
      a < closed
      w < nothing
    `,
  },
]);

runCases('topics and filters', [
  {
    name: 'the wildcard of many levels stands last and fills its level [MQTT-4.7.1-2]',
    script: `
      a connects
      a > 82[ 0001 "a/#" 00 "#/a" 00 "a#" 00 "a/#/b" 00 "#" 00 ]
      a < 90[ 0001 00 80 80 80 00 ]
      a > 30[ "a" '1' ] 30[ "b/c" '2' ]
      a < 30[ "a" '1' ]
      a < 30[ "b/c" '2' ]
      a < nothing
    `,
  },
  {
    name: 'the wildcard of one level fills its level, wherever that is [MQTT-4.7.1-3]',
    script: `
      a connects
      a > 82[ 0001 "+" 00 "a/+/c" 00 "+/+" 00 "a+" 00 "+a/b" 00 "/+" 00 ]
      a < 90[ 0001 00 00 00 80 80 00 ]
      a > 30[ "x" '1' ] 30[ "a//c" '2' ] 30[ "/x" '3' ] 30[ "x/y/z" '4' ]
      a < 30[ "x" '1' ]
      a < 30[ "a//c" '2' ]
      a < 30[ "/x" '3' ]
      a < nothing
    `,
  },
  {
    name: 'a leading wildcard does not match topics that begin with $ [MQTT-4.7.2-1]',
    script: `
      a connects
      a > 82[ 0001 "#" 00 "+/x" 00 ]
      a < 90[ 0001 00 00 ]
      b connects
      b > 82[ 0001 "$own/+" 00 ]
      b < 90[ 0001 00 ]
      b > 30[ "$own/x" '1' ]
      b < 30[ "$own/x" '1' ]
      a < nothing
    `,
  },
  {
    name: 'names and filters are neither changed nor normalised [MQTT-4.7.3-4]',
    script: `
      a connects
      a > 82[ 0001 "/a" 00 "b/" 00 (c3 a9) 00 "UP" 00 "s p" 00 ]
      a < 90[ 0001 00 00 00 00 00 ]
      a > 30[ "a" '1' ] 30[ "b" '2' ] 30[ (65 cc 81) '3' ] 30[ "up" '4' ] 30[ "sp" '5' ] 30[ "/a/" '6' ]
      a < nothing
      a > 30[ "/a" '1' ] 30[ "b/" '2' ] 30[ (c3 a9) '3' ] 30[ "UP" '4' ] 30[ "s p" '5' ]
      a < 30[ "/a" '1' ]
      a < 30[ "b/" '2' ]
      a < 30[ (c3 a9) '3' ]
      a < 30[ "UP" '4' ]
      a < 30[ "s p" '5' ]
    `,
  },
]);

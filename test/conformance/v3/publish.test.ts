/** MQTT 3.1.1, 3.3 to 3.7: PUBLISH and its acknowledgements, and retained messages. */
import { openAuthorizer } from '../../helpers/broker-harness.ts';
import { runCases } from './run-cases.ts';

runCases('PUBLISH: flags', [
  {
    name: 'a repeat has DUP, whatever the publisher set [MQTT-3.3.1-1] [MQTT-3.3.1-3] [MQTT-4.4.0-1]',
    script: `
      a resumes
      a > 82[ 0001 "t" 02 ]
      a < 90[ 0001 02 ]
      b connects
      b > 3a[ "t" 0001 '1' ]               # with DUP
      b < 40[ 0001 ]
      b > 3c[ "t" 0002 '2' ]
      b < 50[ 0002 ]
      a < 32[ "t" 0001 '1' ]               # without
      a < 34[ "t" 0002 '2' ]
      a drops
      a resumes
      a < 3a[ "t" 0001 '1' ]
      a < 3c[ "t" 0002 '2' ]
      a > 40[ 0001 ]
      a > 50[ 0002 ]
      a < 62[ 0002 ]
      a > 70[ 0002 ]
      a < nothing
    `,
  },
  {
    name: 'DUP at QoS 0 is malformed, and never sent [MQTT-3.3.1-2] [MQTT-4.3.1-1]',
    script: `
      a connects
      a > 38[ "t" 'x' ]
      a < closed
    `,
  },
  {
    name: 'QoS 3 is malformed [MQTT-3.3.1-4]',
    script: `
      a connects
      a > 36[ "t" 0001 'x' ]
      a < closed
      a connects
      a > 3e[ "t" 0001 'x' ]
      a < closed
    `,
  },
  {
    name: 'a packet that is cut short is malformed [MQTT-4.8.0-1]',
    script: `
      a connects
      a > 30 00
      a < closed
      a connects
      a > 30[ 0005 't' ]
      a < closed
      a connects
      a > 32[ "t" 00 ]
      a < closed
      a connects
      a > 40[ 00 ]
      a < closed
      a connects
      a > 40[ 0001 00 ]                    # one byte too many, in this version
      a < closed
    `,
  },
]);

runCases('PUBLISH: topics', [
  {
    name: 'the topic is UTF-8, the first field, and without wildcards [MQTT-3.3.2-1] [MQTT-3.3.2-2] [MQTT-4.7.1-1]',
    script: `
      a connects
      a > 30[ (e2 82) 'x' ]
      a < closed
      a connects
      a > 30[ "a/+" 'x' ]
      a < closed
      a connects
      a > 30[ "a/#" 'x' ]
      a < closed
      a connects
      a > 32[ "a+b" 0001 'x' ]
      a < closed
    `,
  },
  {
    name: 'topic names and filters have at least one character [MQTT-4.7.3-1]',
    script: `
      a connects
      a > 30[ "" 'x' ]
      a < closed
      a connects
      a > 82[ 0001 "" 00 ]
      a < 90[ 0001 80 ]
      a > 82[ 0002 "/" 00 ]
      a < 90[ 0002 00 ]
      a > 30[ "/" 'x' ]
      a < 30[ "/" 'x' ]
    `,
  },
  {
    name: 'a topic of the greatest length that two bytes can say is carried [MQTT-4.7.3-3]',
    limits: { maximumTopicLength: 65_535 },
    script: `
      a connects
      a > 82[ 0001 "x"*65535 00 ]
      a < 90[ 0001 00 ]
      a > 30[ "x"*65535 'y' ]
      a < 30[ "x"*65535 'y' ]
    `,
  },
  {
    name: 'the topic that a subscriber gets is one that its filter matches [MQTT-3.3.2-3] [MQTT-4.5.0-1]',
    script: `
      a connects
      a > 82[ 0001 "a/+/c" 00 "d/#" 00 ]
      a < 90[ 0001 00 00 ]
      b connects
      b > 30[ "a/b/c" '1' ] 30[ "a/b" '2' ] 30[ "a/b/c/d" '3' ] 30[ "d" '4' ] 30[ "d/e/f" '5' ] 30[ "D" '6' ]
      b < nothing
      a < 30[ "a/b/c" '1' ]
      a < 30[ "d" '4' ]
      a < 30[ "d/e/f" '5' ]
      a < nothing
    `,
  },
]);

runCases('retained messages', [
  {
    name: 'the last of each topic is kept with its QoS and sent to new subscriptions with RETAIN [MQTT-3.3.1-5] [MQTT-3.3.1-6] [MQTT-3.3.1-8]',
    script: `
      b connects
      b > 33[ "r/1" 0001 'old' ]
      b < 40[ 0001 ]
      b > 33[ "r/1" 0002 'one' ]
      b < 40[ 0002 ]
      b > 35[ "r/2" 0003 'two' ]
      b < 50[ 0003 ]
      b > 62[ 0003 ]
      b < 70[ 0003 ]
      b drops
      a connects
      a > 82[ 0001 "r/1" 02 ]
      a < 90[ 0001 02 ]
      a < 33[ "r/1" $one 'one' ]
      a > 40[ $one ]
      a > 82[ 0002 "r/2" 02 ]
      a < 90[ 0002 02 ]
      a < 35[ "r/2" $two 'two' ]
      a > 50[ $two ]
      a < 62[ $two ]
      a > 70[ $two ]
      a > 82[ 0003 "r/2" 00 ]
      a < 90[ 0003 00 ]
      a < 31[ "r/2" 'two' ]
      a < nothing
    `,
  },
  {
    name: 'at QoS 0 as well: it takes the place of what was there [MQTT-3.3.1-7] [MQTT-4.1.0-1]',
    script: `
      b connects
      b > 33[ "r" 0001 'one' ]
      b < 40[ 0001 ]
      b > 31[ "r" 'zero' ]
      b < nothing
      a connects
      a > 82[ 0001 "r" 02 ]
      a < 90[ 0001 02 ]
      a < 31[ "r" 'zero' ]
      a < nothing
    `,
  },
  {
    name: 'to an established subscription RETAIN is not set [MQTT-3.3.1-9]',
    script: `
      a connects
      a > 82[ 0001 "r" 01 ]
      a < 90[ 0001 01 ]
      b connects
      b > 31[ "r" '1' ]
      a < 30[ "r" '1' ]
      b > 33[ "r" 0001 '2' ]
      b < 40[ 0001 ]
      a < 32[ "r" $id '2' ]
    `,
  },
  {
    name: 'an empty one is sent on, removes what was kept, and is not kept itself [MQTT-3.3.1-10] [MQTT-3.3.1-11]',
    script: `
      a connects
      a > 31[ "r" 'kept' ]
      a < nothing
      a > 82[ 0001 "r" 00 ]
      a < 90[ 0001 00 ]
      a < 31[ "r" 'kept' ]
      a > 31[ "r" ]
      a < 30[ "r" ]
      b connects
      b > 82[ 0001 "r" 00 ]
      b < 90[ 0001 00 ]
      b < nothing
      b > 31[ "never" ]
      b < nothing
      b > 82[ 0002 "never" 00 ]
      b < 90[ 0002 00 ]
      b < nothing
    `,
  },
  {
    name: 'without RETAIN nothing is kept, replaced or removed [MQTT-3.3.1-12]',
    script: `
      a connects
      a > 31[ "r" 'kept' ] 30[ "r" 'passing' ] 30[ "r" ] 30[ "s" 'passing' ]
      a < nothing
      a > 82[ 0001 "r" 00 ]
      a < 90[ 0001 00 ]
      a < 31[ "r" 'kept' ]
      a > 82[ 0002 "s" 00 ]
      a < 90[ 0002 00 ]
      a < nothing
    `,
  },
  {
    name: 'they belong to no session and outlive it [MQTT-3.1.2-6]',
    script: `
      a connects
      a > 31[ "r" 'kept' ]
      a < nothing
      a > e0 00
      a < closed
      a connects
      a > 82[ 0001 "r" 00 ]
      a < 90[ 0001 00 ]
      a < 31[ "r" 'kept' ]
    `,
  },
]);

runCases('PUBLISH: who gets it', [
  {
    name: 'overlapping subscriptions give the greatest QoS of them [MQTT-3.3.5-1]',
    script: `
      a connects
      a > 82[ 0001 "a/#" 00 "a/+" 02 "a/b" 01 ]
      a < 90[ 0001 00 02 01 ]
      b connects
      b > 34[ "a/b" 0001 'x' ]
      b < 50[ 0001 ]
      a < 34[ "a/b" $id 'x' ]
      a > 50[ $id ]
      a < 62[ $id ]
      a > 70[ $id ]
      a < nothing
    `,
  },
  {
    name: 'what is not allowed is acknowledged and goes to nobody [MQTT-3.3.5-2]',
    profile: { authorizer: { ...openAuthorizer, mayPublish: (_, topic) => topic !== 'secret' } },
    script: `
      w connects
      w > 82[ 0001 "#" 02 ]
      w < 90[ 0001 02 ]
      a connects
      a > 32[ "secret" 0001 'x' ]
      a < 40[ 0001 ]
      a > 35[ "secret" 0002 'x' ]
      a < 50[ 0002 ]
      a > 62[ 0002 ]
      a < 70[ 0002 ]
      a > 30[ "secret" 'x' ]
      a < nothing
      w < nothing
      w > 82[ 0002 "secret" 00 ]
      w < 90[ 0002 00 ]
      w < nothing
    `,
  },
  {
    name: 'a fault inside the broker ends the connection that met it, and no other [MQTT-4.8.0-2]',
    profile: {
      authorizer: {
        ...openAuthorizer,
        mayPublish: (_, topic) => {
          if (topic === 'fault') throw new Error('a fault');
          return true;
        },
      },
    },
    script: `
      w connects
      a connects
      a > 32[ "fault" 0001 'x' ] c0 00
      a < closed
      w < nothing
    `,
  },
  {
    name: 'PUBREL with other reserved bits is malformed [MQTT-3.6.1-1]',
    script: `
      a connects
      a > 60[ 0001 ]
      a < closed
      a connects
      a > 63[ 0001 ]
      a < closed
      a connects
      a > 6a[ 0001 ]
      a < closed
    `,
  },
]);

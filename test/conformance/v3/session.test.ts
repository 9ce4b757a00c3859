/** MQTT 3.1.1, 3.1.2.4 and chapter 4: sessions, the flows of QoS 1 and 2, repeats and order. */
import { runCases } from './run-cases.ts';

runCases('sessions', [
  {
    name: 'without clean session the state goes on: subscriptions and messages [MQTT-3.1.2-4] [MQTT-3.1.2-5] [MQTT-4.1.0-1] [MQTT-4.5.0-1]',
    script: `
      a > 10[ %protocol 00 0000 "a" ]
      a < 20[ 00 00 ]
      a > 82[ 0001 "t" 02 ]
      a < 90[ 0001 02 ]
      a > e0 00
      a < closed
      b connects
      b > 30[ "t" '0' ] 32[ "t" 0001 '1' ] 34[ "t" 0002 '2' ]
      b < 40[ 0001 ]
      b < 50[ 0002 ]
      a > 10[ %protocol 00 0000 "a" ]
      a < 20[ %present 00 ]
      a < 32[ "t" $one '1' ]
      a < 34[ "t" $two '2' ]
      a > 40[ $one ] 50[ $two ]
      a < 62[ $two ]
      a > 70[ $two ]
      b > 30[ "t" '3' ]
      a < 30[ "t" '3' ]
    `,
  },
  {
    name: 'a clean session forgets what was, and is forgotten itself [MQTT-3.1.2-6] [MQTT-3.1.4-3]',
    script: `
      a resumes
      a > 82[ 0001 "t" 02 ]
      a < 90[ 0001 02 ]
      a drops
      b connects
      b > 32[ "t" 0001 '1' ]
      b < 40[ 0001 ]
      a > 10[ %protocol 02 0000 "a" ]
      a < 20[ 00 00 ]
      a < nothing
      b > 32[ "t" 0002 '2' ]
      b < 40[ 0002 ]
      a < nothing
      a > 82[ 0001 "t" 01 ]
      a < 90[ 0001 01 ]
      a drops
      a > 10[ %protocol 00 0000 "a" ]
      a < 20[ 00 00 ]
      b > 32[ "t" 0003 '3' ]
      b < 40[ 0003 ]
      a < nothing
    `,
  },
  {
    name: 'a session lasts as long as its connection, however long [MQTT-4.1.0-2]',
    limits: { maximumSessionExpirySeconds: 60 },
    script: `
      a resumes
      a > 82[ 0001 "t" 01 ]
      a < 90[ 0001 01 ]
      c connects
      c > 82[ 0001 "t" 00 ]
      c < 90[ 0001 00 ]
      advance 100000s
      b connects
      b > 30[ "t" 'x' ]
      a < 30[ "t" 'x' ]
      c < 30[ "t" 'x' ]
    `,
  },
  {
    name: 'what was received at QoS 2 and not released is part of it [MQTT-4.1.0-1] [MQTT-4.3.3-2]',
    script: `
      w connects
      w > 82[ 0001 "t" 00 ]
      w < 90[ 0001 00 ]
      a resumes
      a > 34[ "t" 0001 'x' ]
      a < 50[ 0001 ]
      w < 30[ "t" 'x' ]
      a drops
      a resumes
      a > 3c[ "t" 0001 'x' ]
      a < 50[ 0001 ]
      a > 62[ 0001 ]
      a < 70[ 0001 ]
      w < nothing
    `,
  },
  {
    name: 'a connection that takes over goes on with the session [MQTT-3.1.4-2] [MQTT-4.4.0-1]',
    script: `
      a resumes
      a > 82[ 0001 "t" 01 ]
      a < 90[ 0001 01 ]
      p connects
      p > 32[ "t" 0001 '1' ]
      p < 40[ 0001 ]
      a < 32[ "t" $one '1' ]
      b > 10[ %protocol 00 0000 "a" ]
      b < 20[ %present 00 ]
      b < 3a[ "t" $one '1' ]
      a < closed
      b > 40[ $one ]
      p > 32[ "t" 0002 '2' ]
      p < 40[ 0002 ]
      b < 32[ "t" .. .. '2' ]
    `,
  },
]);

runCases('flows', [
  {
    name: 'QoS 1 as sender: an unused id, no DUP, unacknowledged until PUBACK [MQTT-4.3.2-1]',
    script: `
      a resumes
      a > 82[ 0001 "t" 01 ]
      a < 90[ 0001 01 ]
      p connects
      p > 32[ "t" 0001 '1' ] 32[ "t" 0002 '2' ]
      p < 40[ 0001 ]
      p < 40[ 0002 ]
      a < 32[ "t" 0001 '1' ]
      a < 32[ "t" 0002 '2' ]
      a > 50[ 0001 ]                       # PUBREC is no answer to QoS 1
      a > 40[ 0002 ]
      a drops
      a resumes
      a < 3a[ "t" 0001 '1' ]
      a > 40[ 0001 ]
      a drops
      a resumes
      a < nothing
    `,
  },
  {
    name: 'QoS 1 as receiver: PUBACK with the id; behind it the same id is a new message, whatever DUP says [MQTT-4.3.2-2] [MQTT-3.3.4-1]',
    script: `
      w connects
      w > 82[ 0001 "t" 00 ]
      w < 90[ 0001 00 ]
      a connects
      a > 32[ "t" 0007 '1' ]
      a < 40[ 0007 ]
      a > 3a[ "t" 0007 '2' ]
      a < 40[ 0007 ]
      w < 30[ "t" '1' ]
      w < 30[ "t" '2' ]
    `,
  },
  {
    name: 'QoS 2 as sender: PUBREL on PUBREC, the same id, PUBLISH never behind PUBREL [MQTT-4.3.3-1]',
    script: `
      a resumes
      a > 82[ 0001 "t" 02 ]
      a < 90[ 0001 02 ]
      p connects
      p > 34[ "t" 0001 '1' ] 34[ "t" 0002 '2' ]
      p < 50[ 0001 ]
      p < 50[ 0002 ]
      a < 34[ "t" 0001 '1' ]
      a < 34[ "t" 0002 '2' ]
      a > 50[ 0001 ]
      a < 62[ 0001 ]
      a drops
      a resumes
      a < 62[ 0001 ]
      a < 3c[ "t" 0002 '2' ]
      a > 50[ 0001 ]                       # again: PUBREL again
      a < 62[ 0001 ]
      a > 70[ 0001 ] 50[ 0002 ]
      a < 62[ 0002 ]
      a drops
      a resumes
      a < 62[ 0002 ]
      a > 70[ 0002 ]
      a drops
      a resumes
      a < nothing
    `,
  },
  {
    name: 'QoS 2 as receiver: one message for each id until it is released [MQTT-4.3.3-2] [MQTT-3.3.4-1]',
    script: `
      w connects
      w > 82[ 0001 "t" 00 ]
      w < 90[ 0001 00 ]
      a connects
      a > 34[ "t" 0009 '1' ]
      a < 50[ 0009 ]
      w < 30[ "t" '1' ]
      a > 3c[ "t" 0009 '1' ] 34[ "t" 0009 '1' ]
      a < 50[ 0009 ]
      a < 50[ 0009 ]
      w < nothing
      a > 62[ 0009 ]
      a < 70[ 0009 ]
      a > 62[ 0009 ]                       # nothing to release: answered all the same
      a < 70[ 0009 ]
      a > 3c[ "t" 0009 '2' ]
      a < 50[ 0009 ]
      w < 30[ "t" '2' ]
    `,
  },
]);

runCases('order', [
  {
    name: 'repeats come in the order in which the messages were sent first [MQTT-4.6.0-1] [MQTT-4.4.0-1]',
    script: `
      a resumes
      a > 82[ 0001 "t" 02 ]
      a < 90[ 0001 02 ]
      p connects
      p > 32[ "t" 0001 '1' ] 34[ "t" 0002 '2' ] 32[ "t" 0003 '3' ]
      p < 40[ 0001 ]
      p < 50[ 0002 ]
      p < 40[ 0003 ]
      a < 32[ "t" 0001 '1' ]
      a < 34[ "t" 0002 '2' ]
      a < 32[ "t" 0003 '3' ]
      a drops
      p > 32[ "t" 0004 '4' ]
      p < 40[ 0004 ]
      a resumes
      a < 3a[ "t" 0001 '1' ]
      a < 3c[ "t" 0002 '2' ]
      a < 3a[ "t" 0003 '3' ]
      a < 32[ "t" .. .. '4' ]
    `,
  },
  {
    name: 'PUBACK, PUBREC and PUBREL come in the order of what they answer [MQTT-4.6.0-2] [MQTT-4.6.0-3] [MQTT-4.6.0-4]',
    script: `
      a connects
      a > 32[ "t" 0005 '1' ] 32[ "t" 0003 '2' ] 34[ "t" 0009 '3' ] 34[ "t" 0001 '4' ]
      a < 40[ 0005 ]
      a < 40[ 0003 ]
      a < 50[ 0009 ]
      a < 50[ 0001 ]
      a > 82[ 0001 "u" 02 ]
      a < 90[ 0001 02 ]
      p connects
      p > 34[ "u" 0001 '1' ] 34[ "u" 0002 '2' ]
      p < 50[ 0001 ]
      p < 50[ 0002 ]
      a < 34[ "u" $one '1' ]
      a < 34[ "u" $two '2' ]
      a > 50[ $two ] 50[ $one ]
      a < 62[ $two ]
      a < 62[ $one ]
    `,
  },
  {
    name: 'messages of one client, topic and QoS come in their order, live and from the queue [MQTT-4.6.0-5] [MQTT-4.6.0-6]',
    limits: { maximumInflight: 2 },
    script: `
      a resumes
      a > 82[ 0001 "t" 01 ]
      a < 90[ 0001 01 ]
      p connects
      p > 32[ "t" 0001 '1' ] 32[ "t" 0002 '2' ] 32[ "t" 0003 '3' ] 32[ "t" 0004 '4' ]
      p < 40[ 0001 ]
      p < 40[ 0002 ]
      p < 40[ 0003 ]
      p < 40[ 0004 ]
      a < 32[ "t" $one '1' ]
      a < 32[ "t" $two '2' ]
      a < nothing                          # two are under way: the others wait
      a > 40[ $one ]
      a < 32[ "t" .. .. '3' ]
      a drops
      p > 32[ "t" 0005 '5' ]
      p < 40[ 0005 ]
      a resumes
      a < 3a[ "t" $two '2' ]
      a < 3a[ "t" $three '3' ]
      a > 40[ $two ] 40[ $three ]
      a < 32[ "t" $four '4' ]
      a < 32[ "t" .. .. '5' ]
    `,
  },
]);

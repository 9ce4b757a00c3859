/** MQTT 3.1.1, 3.1.2.5 to 3.1.2.7: wills. */
import { runCases } from './run-cases.ts';

runCases('wills', [
  {
    name: 'a will is published when the connection ends without DISCONNECT, once [MQTT-3.1.2-8] [MQTT-3.1.2-10] [MQTT-3.1.2-16]',
    script: `
      w connects
      w > 82[ 0001 "w" 02 ]
      w < 90[ 0001 02 ]
      a > 10[ %protocol 0c 0000 "a" "w" "gone" ]
      a < 20[ 00 00 ]
      a drops
      w < 32[ "w" $id 'gone' ]
      w > 40[ $id ]
      a resumes
      a drops
      w < nothing
      w > 82[ 0002 "w" 02 ]
      w < 90[ 0002 02 ]
      w < nothing                          # it was not a retained one
    `,
  },
  {
    name: 'also when the client breaks the protocol, or is taken over [MQTT-3.1.2-8]',
    script: `
      w connects
      w > 82[ 0001 "w" 02 ]
      w < 90[ 0001 02 ]
      a > 10[ %protocol 06 0000 "a" "w" "gone" ]
      a < 20[ 00 00 ]
      a > 36[ "t" 0001 ]
      a < closed
      w < 30[ "w" 'gone' ]
      a > 10[ %protocol 06 0000 "a" "w" "again" ]
      a < 20[ 00 00 ]
      b > 10[ %protocol 02 0000 "a" ]
      b < 20[ 00 00 ]
      a < closed
      w < 30[ "w" 'again' ]
    `,
  },
  {
    name: 'DISCONNECT discards it [MQTT-3.14.4-3] [MQTT-3.1.2-10]',
    script: `
      w connects
      w > 82[ 0001 "w" 02 ]
      w < 90[ 0001 02 ]
      a > 10[ %protocol 06 0000 "a" "w" "gone" ]
      a < 20[ 00 00 ]
      a > e0 00
      a < closed
      w < nothing
    `,
  },
  {
    name: 'without the flag there is none [MQTT-3.1.2-12]',
    script: `
      w connects
      w > 82[ 0001 "#" 02 ]
      w < 90[ 0001 02 ]
      a connects
      a drops
      w < nothing
    `,
  },
  {
    name: 'will QoS and will retain are those of the message [MQTT-3.1.2-17] [MQTT-3.1.2-14] [MQTT-3.1.2-9]',
    script: `
      w connects
      w > 82[ 0001 "w" 02 ]
      w < 90[ 0001 02 ]
      a > 10[ %protocol 36 0000 "a" "w" "" ] # an empty will, retained: it removes
      a < 20[ 00 00 ]
      a drops
      w < 34[ "w" $empty ]
      w > 50[ $empty ]
      w < 62[ $empty ]
      w > 70[ $empty ]
      a > 10[ %protocol 36 0000 "a" "w" (00 ff) ]
      a < 20[ 00 00 ]
      a drops
      w < 34[ "w" $id 00 ff ]
      b connects
      b > 82[ 0001 "w" 01 ]
      b < 90[ 0001 01 ]
      b < 33[ "w" .. .. 00 ff ]
    `,
  },
]);

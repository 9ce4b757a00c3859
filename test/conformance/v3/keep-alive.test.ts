/** MQTT 3.1.1, 3.1.2.10 and 3.12: keep alive and PINGREQ. */
import { runCases } from './run-cases.ts';

runCases('keep alive', [
  {
    name: 'silence of one and a half times the keep alive ends the connection, as a failure of the network [MQTT-3.1.2-24] [MQTT-3.1.2-8]',
    script: `
      w connects
      w > 82[ 0001 "w" 00 ]
      w < 90[ 0001 00 ]
      a > 10[ %protocol 06 000a "a" "w" "gone" ]
      a < 20[ 00 00 ]
      advance 14s
      a < nothing                          # a ping, so it begins anew
      advance 14s
      a > 30[ "t" 'x' ] c0 00              # any packet counts
      a < d0 00
      advance 15s
      w < nothing
      advance 2s
      a < closed
      w < 30[ "w" 'gone' ]
    `,
  },
  {
    name: 'a keep alive of 0 ends nothing [MQTT-3.1.2-24]',
    script: `
      a connects
      advance 90000s
      a < nothing
    `,
  },
  {
    name: 'PINGREQ is answered [MQTT-3.12.4-1]',
    script: `
      a connects
      a > c0 00
      a < d0 00
      a > c0 01 00
      a < closed
    `,
  },
]);

/** MQTT 3.1.1, chapters 1 and 2: strings, flags of the first byte, packet identifiers. */
import { runCases } from './run-cases.ts';

runCases('format', [
  {
    name: 'text that is not well-formed UTF-8 ends the connection [MQTT-1.5.3-1]',
    script: `
      a connects
      a > 30[ (c3 28) 'x' ]               # a continuation byte is missing
      a < closed
      a connects
      a > 30[ (ed a0 80) 'x' ]            # a surrogate
      a < closed
      a connects
      a > 30[ (c0 af) 'x' ]               # overlong
      a < closed
      a connects
      a > 82[ 0001 (ff) 00 ]
      a < closed
      a connects
      a > a2[ 0001 (f4 90 80 80) ]        # above U+10FFFF
      a < closed
      a > 10[ %protocol 02 0000 (61 ff) ]
      a < closed
    `,
  },
  {
    name: 'U+0000 ends the connection, wherever it stands [MQTT-1.5.3-2] [MQTT-4.7.3-2]',
    script: `
      a connects
      a > 30[ (61 00 62) 'x' ]
      a < closed
      a connects
      a > 82[ 0001 (00) 00 ]
      a < closed
      a connects
      a > a2[ 0001 (61 00) ]
      a < closed
      a > 10[ %protocol 02 0000 (00) ]
      a < closed
    `,
  },
  {
    name: 'a byte order mark is part of the text and stays [MQTT-1.5.3-3]',
    script: `
      a connects
      b connects
      c connects
      a > 82[ 0001 (ef bb bf 61) 00 ]
      a < 90[ 0001 00 ]
      b > 82[ 0001 "a" 00 ]
      b < 90[ 0001 00 ]
      c > 30[ (ef bb bf 61) 'x' ]
      a < 30[ (ef bb bf 61) 'x' ]
      b < nothing
    `,
  },
  {
    name: 'reserved bits of the first byte must be as the table says, or the connection ends [MQTT-2.2.2-1] [MQTT-2.2.2-2]',
    script: `
      a > 11[ %protocol 02 0000 "a" ]
      a < closed
      a connects
      a > 41[ 0001 ]
      a < closed
      a connects
      a > 52[ 0001 ]
      a < closed
      a connects
      a > 74[ 0001 ]
      a < closed
      a connects
      a > c1 00
      a < closed
      a connects
      a > e8 00
      a < closed
    `,
  },
  {
    name: 'packet types that do not exist, or that only a server sends, end the connection [MQTT-4.8.0-1]',
    script: `
      a connects
      a > 00 00
      a < closed
      a connects
      a > f0 00
      a < closed
      a connects
      a > 20[ 00 00 ]
      a < closed
      a connects
      a > 90[ 0001 00 ]
      a < closed
      a connects
      a > b0[ 0001 ]
      a < closed
      a connects
      a > d0 00
      a < closed
    `,
  },
  {
    name: 'a length of more than four bytes, or more than is allowed, ends the connection [MQTT-4.8.0-1]',
    limits: { maximumPacketSize: 1000 },
    script: `
      a connects
      a > 30 ff ff ff ff 01
      a < closed
      a connects
      a > 30[ "t" 'x'*1000 ]
      a < closed
    `,
  },
  {
    name: 'a packet may come in pieces, and several in one piece [MQTT-7.1.1-1]',
    script: `
      a connects
      a > c0
      a > 00 c0 00 82
      a < d0 00
      a < d0 00
      a > 06 0001 00
      a > 01 74
      a > 00
      a < 90[ 0001 00 ]
    `,
  },
  {
    name: 'packets that need a packet identifier are not accepted with 0 [MQTT-2.3.1-1]',
    script: `
      a connects
      a > 32[ "t" 0000 'x' ]
      a < closed
      a connects
      a > 34[ "t" 0000 'x' ]
      a < closed
      a connects
      a > 82[ 0000 "t" 00 ]
      a < closed
      a connects
      a > a2[ 0000 "t" ]
      a < closed
    `,
  },
  {
    name: 'the broker takes ids that are not in use, and keeps an id over a repeat [MQTT-2.3.1-4] [MQTT-4.4.0-1]',
    script: `
      a resumes
      a > 82[ 0001 "t" 01 ]
      a < 90[ 0001 01 ]
      b connects
      b > 32[ "t" 0001 '1' ]
      b < 40[ 0001 ]
      b > 32[ "t" 0002 '2' ]
      b < 40[ 0002 ]
      a < 32[ "t" 0001 '1' ]
      a < 32[ "t" 0002 '2' ]
      a > 40[ 0001 ]
      a < nothing
      a drops
      a resumes
      a < 3a[ "t" 0002 '2' ]
      b > 32[ "t" 0003 '3' ]
      b < 40[ 0003 ]
      a < 32[ "t" $new '3' ]
      a > 40[ 0002 ]
      a > 40[ $new ]
      a < nothing
    `,
  },
  {
    name: 'at QoS 0 there is no packet identifier [MQTT-2.3.1-5] [MQTT-4.3.1-1]',
    script: `
      a connects
      a > 82[ 0001 "t" 02 ]
      a < 90[ 0001 02 ]
      b connects
      b > 30[ "t" 0001 ]                  # the two bytes are payload
      a < 30[ "t" 0001 ]
    `,
  },
  {
    name: 'acknowledgements carry the id of what they answer [MQTT-2.3.1-6] [MQTT-2.3.1-7] [MQTT-3.3.4-1]',
    script: `
      a connects
      a > 82[ abcd "t" 00 ]
      a < 90[ abcd 00 ]
      a > a2[ ffff "t" ]
      a < b0[ ffff ]
      a > 32[ "t" 1234 'x' ]
      a < 40[ 1234 ]
      a > 34[ "t" 1235 'x' ]
      a < 50[ 1235 ]
      a > 62[ 1235 ]
      a < 70[ 1235 ]
      a > 30[ "t" 'x' ]
      a < nothing
      a > 82[ 0007 "t" 02 ]
      a < 90[ 0007 02 ]
      b connects
      b > 34[ "t" 0001 'x' ]
      b < 50[ 0001 ]
      a < 34[ "t" $id 'x' ]
      a > 50[ $id ]
      a < 62[ $id ]
      a > 70[ $id ]
      a < nothing
    `,
  },
]);

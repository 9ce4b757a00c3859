import {
  closed,
  connect,
  disconnected,
  expect,
  open,
  send,
  sendHex,
  type Step,
  type WireCase,
} from '../../helpers/wire-case.ts';
import { connack, suback, subscribe } from '../../helpers/wire-packets.ts';

/** A connected client sends these bytes and is disconnected with this reason. */
export function refused(name: string, bytes: string, reasonCode: number): WireCase {
  return { name, steps: [connect('a'), sendHex('a', bytes), disconnected('a', reasonCode)] };
}

/** The first packet of a connection is this; it is answered with CONNACK and this reason, and the connection ends. */
export function refusedConnect(name: string, bytes: string, reasonCode: number): WireCase {
  return {
    name,
    steps: [open('a'), sendHex('a', bytes), expect('a', connack(reasonCode)), closed('a')],
  };
}

/** A client whose session lasts, and that has subscribed. */
export const member = (name: string, filter: string, receiveMaximum = 100): readonly Step[] => [
  connect(name, { properties: { sessionExpiry: 100, receiveMaximum } }),
  send(name, subscribe(1, filter)),
  expect(name, suback(1, 2)),
];

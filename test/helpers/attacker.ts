/**
 * A program that abuses a broker until it is killed: `node --conditions=source attacker.ts KIND PORT`. It prints a line
 * when the attack has begun. Kinds: `deaf` subscribers that never read, with somebody who feeds them; `flood` publishers
 * that never stop; `reconnect` one client id that connects a thousand times a second.
 */
import { createConnection, type Socket } from 'node:net';
import process from 'node:process';
import { encodePacket, PacketType } from '#mqtt';
import { connectPacket, publishPacket } from './broker-harness.ts';

const [kind, port] = [process.argv[2], Number(process.argv[3])];
const clientsOfAKind = 20;

function open(clientId: string): Socket {
  const socket = createConnection({ port, host: '127.0.0.1' });
  socket.on('error', () => {});
  socket.write(encodePacket(connectPacket(clientId, 4), 4));
  return socket;
}

/** Subscribes to everything and reads nothing of it. */
function beDeaf(clientId: string): void {
  const socket = open(clientId);
  const subscription = { filter: '#', qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 0 };
  socket.write(
    encodePacket(
      { type: PacketType.Subscribe, packetId: 1, subscriptions: [subscription as never], properties: {} },
      4,
    ),
  );
}

/** Sends as much as the connection takes. */
function flood(clientId: string, payloadBytes: number): void {
  const socket = open(clientId);
  const packet = encodePacket(publishPacket('flood', Buffer.alloc(payloadBytes)), 4);
  const chunk = Buffer.concat(Array.from({ length: Math.ceil(65_536 / packet.length) }, () => packet));
  const send = (): void => {
    while (socket.writable && socket.write(chunk));
  };
  socket.on('drain', send);
  socket.on('connect', send);
  socket.resume();
}

/** Ten connections in each hundredth of a second. */
function reconnect(): void {
  setInterval(() => {
    for (let i = 0; i < 10; i++) {
      const socket = open('the same');
      socket.once('data', () => socket.destroy());
      socket.resume();
    }
  }, 10);
}

if (kind === 'deaf') {
  for (let i = 0; i < clientsOfAKind; i++) beDeaf(`deaf ${i}`);
  flood('feeder', 1024);
} else if (kind === 'flood') {
  for (let i = 0; i < clientsOfAKind; i++) flood(`flood ${i}`, 8);
} else reconnect();
process.stdout.write('begun\n');

/**
 * A program that abuses a broker until it is killed: `node --conditions=source attacker.ts KIND PORT`. It prints a line
 * when the attack has begun. What each kind does stands at its function.
 */
import { createConnection, type Socket } from 'node:net';
import process from 'node:process';
import { connect as connectByTls } from 'node:tls';
import { encodePacket, PacketType, type Packet } from '#mqtt';
import { connectPacket, publishPacket } from './broker-harness.ts';

const [kind = '', port] = [process.argv[2], Number(process.argv[3])];
const clientsOfAKind = 20;
const chunkBytes = 65_536;
/** Not that of the clients that behave. */
const ownAddress = '127.0.0.9';

function connect(localAddress?: string): Socket {
  const socket = createConnection({
    port,
    host: '127.0.0.1',
    ...(localAddress === undefined ? {} : { localAddress }),
  });
  socket.on('error', () => {});
  return socket;
}

function open(clientId: string): Socket {
  const socket = connect();
  socket.write(encodePacket(connectPacket(clientId, 4), 4));
  return socket;
}

function subscribe(filters: readonly string[], qos: 0 | 1): Buffer {
  const request = { qos, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
  const subscriptions = filters.map((filter) => ({ filter, ...request }));
  return encodePacket({ type: PacketType.Subscribe, packetId: 1, subscriptions, properties: {} }, 4);
}

function repeated(frame: Buffer): Buffer {
  return Buffer.concat(Array.from({ length: Math.ceil(chunkBytes / frame.length) }, () => frame));
}

/** A client that sends `chunk` as often as the connection takes it. */
function pour(clientId: string, chunk: Buffer): void {
  const socket = open(clientId);
  const send = (): void => {
    while (socket.writable && socket.write(chunk));
  };
  socket.on('drain', send);
  socket.on('connect', send);
  socket.resume();
}

function publications(payloadBytes: number): Buffer {
  return repeated(encodePacket(publishPacket('flood', Buffer.alloc(payloadBytes)), 4));
}

/** Subscribers to everything that read nothing of it, and somebody who feeds them. */
function deaf(): void {
  for (let i = 0; i < clientsOfAKind; i++) open(`deaf ${i}`).write(subscribe(['#'], 1));
  pour('feeder', publications(1024));
}

/** Publishers that never stop. */
function flood(): void {
  for (let i = 0; i < clientsOfAKind; i++) pour(`flood ${i}`, publications(8));
}

/** The smallest packets there are, thousands in each chunk. */
function pings(clients: number): void {
  const chunk = repeated(encodePacket({ type: PacketType.Pingreq }, 4));
  for (let i = 0; i < clients; i++) pour(`ping ${i}`, chunk);
}

/** Acknowledgements of what was never sent. */
function acknowledge(type: typeof PacketType.Puback | typeof PacketType.Pubrel): void {
  const acks = Array.from({ length: chunkBytes / 4 }, (_, i): Packet => {
    return { type, packetId: i + 1, reasonCode: 0, properties: {} };
  });
  const chunk = Buffer.concat(acks.map((packet) => encodePacket(packet, 4)));
  for (let i = 0; i < clientsOfAKind; i++) pour(`ack ${i}`, chunk);
}

/** SUBSCRIBE packets of a thousand filters. */
function filters(): void {
  for (let i = 0; i < clientsOfAKind; i++)
    pour(
      `filters ${i}`,
      subscribe(
        Array.from({ length: 1000 }, (_, n) => `f/${i}/${n}/+`),
        0,
      ),
    );
}

/** Clients that subscribe again and again to much that is retained, by filters that all have to be looked for. */
function retained(): void {
  const feeder = open('feeder');
  for (let i = 0; i < 20_000; i++)
    feeder.write(encodePacket(publishPacket(`x/x/x/x/x/x/${i}`, 'x', { retain: true }), 4));
  const wild = Array.from({ length: 64 }, (_, bits) =>
    [...Array.from({ length: 6 }, (_level, n) => ((bits >> n) & 1 ? '+' : 'x')), '#'].join('/'),
  );
  for (let i = 0; i < clientsOfAKind; i++) {
    const socket = open(`retained ${i}`);
    socket.resume();
    setInterval(() => {
      if (socket.writableLength === 0) socket.write(subscribe(wild, 0));
    }, 200);
  }
}

/** One client id that connects a thousand times a second: ten connections in each hundredth. */
function reconnect(): void {
  setInterval(() => {
    for (let i = 0; i < 10; i++) {
      const socket = open('the same');
      socket.once('data', () => socket.destroy());
      socket.resume();
    }
  }, 10);
}

/** A thousand connections to a TLS listener: most say nothing, the others nonsense. Each that ends is made again. */
function handshakes(): void {
  const begin = (i: number): void => {
    const socket = connect(ownAddress);
    if (i % 10 === 0) socket.write('neither TLS nor MQTT\r\n');
    socket.on('close', () => setTimeout(() => begin(i), 10));
    socket.resume();
  };
  for (let i = 0; i < 1000; i++) begin(i);
}

/** Two hundred at a time that finish a whole TLS handshake, which costs a processor a millisecond, and go. */
function arrivals(): void {
  const begin = (): void => {
    const socket = connectByTls({ socket: connect(ownAddress), rejectUnauthorized: false });
    socket.on('error', () => {});
    socket.on('secureConnect', () => socket.end());
    socket.on('close', () => setTimeout(begin, 10));
  };
  for (let i = 0; i < 200; i++) begin();
}

/** Two thousand wrong passwords at once, again and again. */
function signIns(): void {
  let count = 0;
  const begin = (): void => {
    const socket = connect(ownAddress);
    const clientId = `guess ${count++}`;
    const credentials = { username: 'anna', password: Buffer.from(clientId) };
    socket.write(encodePacket({ ...connectPacket(clientId, 5), ...credentials }, 5));
    socket.on('close', () => setTimeout(begin, 10));
    socket.resume();
  };
  for (let i = 0; i < 2000; i++) begin();
}

const kinds = new Map<string, () => void>([
  ['deaf', deaf],
  ['flood', flood],
  ['pings', () => pings(clientsOfAKind)],
  ['greed', () => pings(100)],
  ['puback', () => acknowledge(PacketType.Puback)],
  ['pubrel', () => acknowledge(PacketType.Pubrel)],
  ['filters', filters],
  ['retained', retained],
  ['reconnect', reconnect],
  ['handshakes', handshakes],
  ['arrivals', arrivals],
  ['sign-ins', signIns],
]);

const begin = kinds.get(kind);
if (begin === undefined) throw new Error(`no kind of attack: ${kind}`);
begin();
process.stdout.write('begun\n');

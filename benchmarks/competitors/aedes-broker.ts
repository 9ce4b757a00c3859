/** Aedes with its defaults on one door of loopback: `node aedes-broker.ts SETUP`. */
import { readFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type Server } from 'node:net';
import process from 'node:process';
import type { Duplex } from 'node:stream';
import { createServer as createTlsServer } from 'node:tls';
import { createWebSocketStream, WebSocketServer } from 'ws';
import type { BrokerSetup } from '../brokers/broker-adapter.ts';
import { collectGarbageOnSignal } from '../brokers/collect-garbage.ts';

interface AedesModule {
  readonly Aedes: { createBroker(options: object): Promise<{ handle(socket: Duplex): unknown }> };
}

// The name is not a literal: the project's type check must not need a package that only this file does.
const name: string = 'aedes';
const { Aedes } = (await import(name)) as AedesModule;
const setup = JSON.parse(process.argv[2] ?? '') as BrokerSetup;
// Its own limits on what is under way to a client would otherwise be what is measured.
const broker = await Aedes.createBroker({ concurrency: 1000, queueLimit: 100_000 });

createDoor().listen(setup.port, '127.0.0.1');

collectGarbageOnSignal();

function createDoor(): Server {
  const onSocket = (socket: Duplex): void => {
    broker.handle(socket);
  };
  if (setup.door === 'tls') {
    const [cert, key] = [setup.certificateFile, setup.keyFile].map((file) => readFileSync(file));
    return createTlsServer({ noDelay: true, cert, key }, onSocket);
  }
  if (setup.door === 'tcp') return createServer({ noDelay: true }, onSocket);
  const server = createHttpServer({ noDelay: true });
  const sockets = new WebSocketServer({ server, handleProtocols: () => 'mqtt' });
  sockets.on('connection', (socket) => onSocket(createWebSocketStream(socket)));
  return server;
}

/** Aedes with its defaults on a TCP port of loopback: `node aedes-broker.ts PORT`. */
import { createServer, type Server, type Socket } from 'node:net';
import process from 'node:process';

interface AedesModule {
  readonly Aedes: { createBroker(options: object): Promise<{ handle(socket: Socket): unknown }> };
}

// The name is not a literal: the project's type check must not need a package that only this file does.
const name: string = 'aedes';
const { Aedes } = (await import(name)) as AedesModule;
// Its own limits on what is under way to a client would otherwise be what is measured.
const broker = await Aedes.createBroker({ concurrency: 1000, queueLimit: 100_000 });
const server: Server = createServer({ noDelay: true }, (socket) => {
  broker.handle(socket);
});
server.listen(Number(process.argv[2]), '127.0.0.1');

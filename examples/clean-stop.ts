// Stops when asked to: last words first, then every client gets its DISCONNECT, and the process ends by itself.
import { once } from 'node:events';
import process from 'node:process';
import { Broker } from 'davylamp/broker';

const stop = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
{
  await using broker = await Broker.start({
    listeners: [{ port: Number(process.env['PORT'] ?? 1883), allowAnonymous: true }],
  });
  console.log(`clients: ${broker.url}`);
  await stop;
  broker.publish('state/server', 'stopping');
}
console.log('stopped');

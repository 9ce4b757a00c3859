// A broker in five lines. It runs until Ctrl-C, and leaves nothing behind.
import { once } from 'node:events';
import process from 'node:process';
import { Broker } from 'davylamp/broker';

const port = Number(process.env['PORT'] ?? 1883);
await using broker = await Broker.start({ listeners: [{ port, allowAnonymous: true }] });
console.log(`clients: ${broker.url}`);
await once(process, 'SIGINT');

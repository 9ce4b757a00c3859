// What was acknowledged survives a crash: sessions, queues and retained messages are on the disk, not in the process.
import process from 'node:process';
import { Broker } from 'davylamp/broker';

const broker = await Broker.start({
  listeners: [{ port: Number(process.env['PORT'] ?? 1883), allowAnonymous: true }],
  persistence: { folder: process.env['JOURNAL'] ?? 'journal', maximumBytes: 1024 ** 3 },
});
const waiting = broker.queue('reader');
console.log(`waiting for the reader: ${waiting?.messages ?? 'it was never here'}`);
console.log(`clients: ${broker.url}`);

/** The broker as a program starts it, on one door of loopback: `node --conditions=source davylamp-broker.ts SETUP`. */
import process from 'node:process';
import { Broker, type ListenerOptions } from 'davylamp/broker';
import type { BrokerSetup } from './broker-adapter.ts';
import { collectGarbageOnSignal } from './collect-garbage.ts';

const mib = 1024 * 1024;
const setup = JSON.parse(process.argv[2] ?? '') as BrokerSetup;
const { port, door, certificateFile, keyFile, accessFile } = setup;

const listener: ListenerOptions = {
  protocol: door,
  address: '127.0.0.1',
  port,
  allowAnonymous: true,
  ...(door === 'tls' ? { tls: { certificateFile, keyFile } } : {}),
  ...(accessFile === undefined ? {} : { accessFile }),
};

await Broker.start({
  listeners: [listener],
  gathersMessages: true, // as bin/davylamp does
  // Wide enough that what is measured is the work, not a limit; bounded all the same.
  limits: {
    maximumPacketSize: 16 * mib,
    maximumConnections: 200_000,
    maximumConnectionsPerAddress: 0,
    maximumSessions: 0,
    maximumPendingBytes: 8 * mib,
    maximumMemory: 0,
    maximumMessageRate: 0,
    maximumByteRate: 0,
    flappingConnects: 0,
  },
});

collectGarbageOnSignal();
process.once('SIGTERM', () => process.exit(0));

/**
 * A million retained messages for one new subscriber over a real socket, while another pair goes on: how long all take,
 * and the longest time that the broker's loop was held up meanwhile.
 * Run: node --conditions=source benchmarks/micro/retained-replay.bench.ts [COUNT]
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { SystemClock, silentLogger } from '#base';
import { Client, type ClientOptions } from '#client';
import { createDialer } from '#listeners';
import { Broker } from '../../src/embed/index.ts';

const count = Number(process.argv[2] ?? 1_000_000);
await using broker = await Broker.start({
  listeners: [{ port: 0, allowAnonymous: true }],
  limits: {
    // $SYS has some of its own.
    maximumRetainedMessages: count + 1000,
    maximumRetainedBytes: 2 ** 31,
    maximumMemory: 2 ** 33,
  },
});
for (let n = 0; n < count; n++) {
  broker.publish(
    `building/${n % 1000}/room/${n}`,
    'a value of some length, sixty-four bytes of it all together …',
    { retain: true },
  );
}

const clock = new SystemClock();
const { port } = new URL(broker.url);
async function connect(clientId: string): Promise<Client> {
  const options: ClientOptions = {
    dialer: createDialer({ host: '127.0.0.1', port: Number(port), tls: null, clock }),
    clock,
    log: silentLogger,
    clientId,
    version: 5,
    cleanStart: true,
    keepAliveSeconds: 0,
    reconnect: false,
  };
  const client = new Client(options);
  await client.connect();
  return client;
}

const subscriber = await connect('subscriber');
const other = await connect('other');
let received = 0;
const all = new Promise<void>((resolve) => {
  subscriber.onMessage = () => {
    received += 1;
    if (received === count) resolve();
  };
});
const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
const start = performance.now();
await subscriber.subscribe([{ filter: 'building/#', qos: 0 }]);
let slowest = 0;
const timer = setInterval(() => {
  const sent = performance.now();
  void other
    .publish('other', 'x', { qos: 1 })
    .then(() => (slowest = Math.max(slowest, performance.now() - sent)));
}, 20);
await all;
clearInterval(timer);
const seconds = (performance.now() - start) / 1000;
console.log(
  `${count} retained messages in ${seconds.toFixed(1)} s, ${Math.round(count / seconds)} a second (broker and clients in one process)`,
);
console.log(
  `loop held up at most ${(delay.max / 1e6).toFixed(0)} ms; slowest QoS 1 answer to another client ${slowest.toFixed(0)} ms`,
);
await subscriber.close();
await other.close();

/**
 * A real Mosquitto between a Davylamp site and a Davylamp cloud broker, ended in between by SIGTERM and by kill -9.
 * What holds: what the site has acknowledged and Mosquitto has not is kept by the site and comes, once Mosquitto is back;
 * what Mosquitto has acknowledged it keeps over SIGTERM (`persistence true`) and not over kill -9, where it saves nothing.
 */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { eventually, freePort } from '../../helpers/demo-process.ts';
import {
  asOurselves,
  ConfFolder,
  DropInBroker,
  skipWithoutMosquitto,
  Subscriber,
} from '../drop-in/drop-in-broker.ts';
import { publish, untilBridge } from './bridge-programs.ts';

/** `mosquitto_pub` that takes messages line by line, each of them acknowledged by its broker. */
class Publisher implements AsyncDisposable {
  readonly #child: ChildProcess;
  #count = 0;

  constructor(port: number) {
    const words = ['-p', String(port), '-t', 'gas/d1', '-q', '1', '-l', '-i', 'publisher'];
    this.#child = spawn('/usr/bin/mosquitto_pub', words, { stdio: ['pipe', 'ignore', 'inherit'] });
  }

  /** Messages `from` to `to`, without the last. */
  send(from: number, to: number): void {
    for (let index = from; index < to; index++) this.#child.stdin?.write(`${index}\n`);
    this.#count = to;
  }

  /** Goes on by itself, 200 a second, until it is told to stop. Gives the number that comes next. */
  stream(): () => number {
    const timer = setInterval(() => this.send(this.#count, this.#count + 2), 10);
    return () => {
      clearInterval(timer);
      return this.#count;
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.stdin?.end();
    await once(this.#child, 'close');
  }
}

class ThroughMosquitto implements AsyncDisposable {
  #stack = new AsyncDisposableStack();
  readonly #file: string;
  readonly #port: number;
  sitePort = 0;
  relay: DropInBroker | null = null;
  end!: Subscriber;
  publisher!: Publisher;

  private constructor(file: string, port: number) {
    this.#file = file;
    this.#port = port;
  }

  static async start(version: 'mqttv311' | 'mqttv50', qos: 1 | 2): Promise<ThroughMosquitto> {
    await using stack = new AsyncDisposableStack();
    const folder = stack.use(await ConfFolder.create());
    const [site, relay, cloud] = [await freePort(), await freePort(), await freePort()];
    const bridge = (name: string, to: number, more: string): string =>
      `connection ${name}\naddress 127.0.0.1:${to}\nremote_clientid ${name}\nbridge_protocol_version ${version}\nrestart_timeout 1\nnotifications false\ntopic gas/# out ${qos}\n${more}`;
    const listener = (port: number): string =>
      `${asOurselves}listener ${port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 100000\n`;
    const relayFile = await folder.write(
      'relay.conf',
      `${listener(relay)}persistence true\npersistence_location ${folder.path}/\n${bridge('relay-cloud', cloud, 'cleansession false\n')}`,
    );
    const siteFile = await folder.write(
      'site.conf',
      `${listener(site)}sys_interval 1\n${bridge('site-relay', relay, '')}`,
    );
    stack.use(await DropInBroker.start(await folder.write('cloud.conf', listener(cloud)), cloud));
    const chain = new ThroughMosquitto(relayFile, relay);
    chain.sitePort = site;
    stack.defer(() => chain.relay?.[Symbol.asyncDispose]() ?? Promise.resolve());
    await chain.startRelay();
    stack.use(await DropInBroker.start(siteFile, site));
    chain.end = stack.use(await Subscriber.start(...`-p ${cloud} -t gas/# -q 2`.split(' ')));
    await publish(...`-p ${site} -t gas/first -q 1 -m first`.split(' '));
    await chain.end.received('first');
    chain.publisher = stack.use(new Publisher(site));
    chain.#stack = stack.move();
    return chain;
  }

  async startRelay(): Promise<void> {
    this.relay = await DropInBroker.start(this.#file, this.#port, { program: 'mosquitto' });
  }

  async endRelay(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    this.relay?.kill(signal);
    await this.relay?.ended;
  }

  /** Numbers that have arrived, each when it came first. */
  get arrived(): number[] {
    const numbers = this.end.messages.filter((message) => /^\d+$/.test(message)).map(Number);
    return [...new Set(numbers)];
  }

  /** All of `from` up to `to`, without the last, are there. */
  async untilArrived(from: number, to: number): Promise<void> {
    await eventually(`messages ${from} to ${to - 1}`, () => {
      const arrived = new Set(this.arrived);
      for (let index = from; index < to; index++) if (!arrived.has(index)) return undefined;
      return true;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

const numbers = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, index) => from + index);

for (const version of ['mqttv311', 'mqttv50'] as const) {
  describe(`Mosquitto as the relay, ${version}`, { skip: skipWithoutMosquitto }, () => {
    for (const qos of [1, 2] as const) {
      it(`QoS ${qos}: what is published while it is away waits at the site and comes in order, after kill -9 too`, async () => {
        await using chain = await ThroughMosquitto.start(version, qos);
        chain.publisher.send(0, 20);
        await chain.untilArrived(0, 20);
        for (const [signal, from] of [
          ['SIGKILL', 20],
          ['SIGTERM', 220],
        ] as const) {
          await untilBridge(chain.sitePort, 'site-relay', 'queue/in_flight', (value) => value === '0');
          await chain.endRelay(signal);
          chain.publisher.send(from, from + 200);
          await untilBridge(chain.sitePort, 'site-relay', 'queue/messages', (value) => Number(value) >= 150);
          await chain.startRelay();
          await chain.untilArrived(from, from + 200);
        }
        assert.deepEqual(chain.arrived, numbers(0, 420));
        if (qos === 2) assert.equal(chain.end.messages.length, 421, 'and none twice');
      });
    }

    it('QoS 1: SIGTERM in the middle of a stream loses nothing', async () => {
      await using chain = await ThroughMosquitto.start(version, 1);
      const stop = chain.publisher.stream();
      await chain.untilArrived(0, 100);
      await chain.endRelay('SIGTERM');
      await chain.startRelay();
      await chain.untilArrived(100, 300);
      const count = stop();
      await chain.untilArrived(0, count);
    });

    it('QoS 1: kill -9 in the middle of a stream loses nothing but what Mosquitto had acknowledged: it goes on with the rest', async () => {
      await using chain = await ThroughMosquitto.start(version, 1);
      const stop = chain.publisher.stream();
      await chain.untilArrived(0, 100);
      await chain.endRelay('SIGKILL');
      const [reached = 0] = chain.arrived.slice(-1);
      await chain.startRelay();
      // 500 messages after the kill, Mosquitto has long been back.
      await eventually('the stream to go on', () =>
        (chain.arrived.at(-1) ?? 0) > reached + 500 ? true : undefined,
      );
      const count = stop();
      await chain.untilArrived(reached + 500, count);
      await untilBridge(chain.sitePort, 'site-relay', 'queue/messages', (value) => value === '0');
      // What is missing was Mosquitto's; what was the site's has come.
      const missing = count - chain.arrived.length;
      console.log(`# measured: ${missing} of ${count} messages lost by a Mosquitto that was killed`);
    });
  });
}

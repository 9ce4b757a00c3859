import path from 'node:path';
import { SystemClock, silentLogger } from '#base';
import { Client } from '#client';
import type { Qos } from '#mqtt';
import { createDialer } from '#listeners';
import { readSecret } from '../../src/app/secrets.ts';
import type { FaultChain } from './chain.ts';

/** A subscriber at the end of the chain that counts how often each message comes, and whether its order is kept. */
export class Ledger implements AsyncDisposable {
  readonly #client: Client;
  readonly #counts = new Map<string, number>();
  readonly #last = new Map<string, number>();
  readonly #qos: Qos;
  /** Messages that came behind a later one of the same detector, repeats apart. */
  outOfOrder = 0;

  private constructor(client: Client, qos: Qos) {
    this.#client = client;
    this.#qos = qos;
  }

  /** Subscribes at the cloud with a session of its own. */
  static async open(chain: FaultChain, qos: Qos): Promise<Ledger> {
    const home = path.join(chain.plan.folder, 'visitor');
    const clock = new SystemClock();
    const tls = {
      caFile: path.join(home, 'ca.pem'),
      certificateFile: path.join(home, 'visitor.pem'),
      keyFile: path.join(home, 'visitor.key'),
    };
    const client = new Client({
      dialer: createDialer({ host: '127.0.0.1', port: chain.plan.ports.cloud, tls, clock }),
      clock,
      log: silentLogger,
      clientId: 'ledger',
      version: 5,
      cleanStart: false,
      sessionExpirySeconds: 86_400,
      keepAliveSeconds: 5,
      username: 'visitor',
      password: await readSecret(path.join(home, 'cloud.password')),
      reconnect: { minimumMs: 100, maximumMs: 1000 },
    });
    const ledger = new Ledger(client, qos);
    client.onMessage = ({ payload }) => ledger.#note(payload.toString());
    await client.connect();
    await client.subscribe([{ filter: 'outTopic/#', qos }]);
    return ledger;
  }

  /** Different messages that came. */
  get distinct(): number {
    return this.#counts.size;
  }

  /** Messages that came more than once. */
  get repeated(): readonly string[] {
    return [...this.#counts]
      .filter(([, count]) => count > 1)
      .map(([text, count]) => `${text} (${count} times)`);
  }

  has(sequence: number, mac: string): boolean {
    return this.#counts.has(key(sequence, mac));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.close();
  }

  #note(text: string): void {
    const found = /^(\d+)-.* MAC:([0-9A-F:]+) /.exec(text);
    if (found === null) return;
    const [, sequence = '', mac = ''] = found;
    const name = key(Number(sequence), mac);
    const count = (this.#counts.get(name) ?? 0) + 1;
    this.#counts.set(name, count);
    if (count > 1) return;
    if (Number(sequence) < (this.#last.get(mac) ?? 0)) this.outOfOrder++;
    this.#last.set(mac, Number(sequence));
  }

  get qos(): Qos {
    return this.#qos;
  }
}

function key(sequence: number, mac: string): string {
  return `${mac} ${sequence}`;
}

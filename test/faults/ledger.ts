import { SystemClock, silentLogger } from '#base';
import { Client } from '#client';
import type { Qos } from '#mqtt';
import type { FaultChain } from './chain.ts';
import { SequenceCounts } from './sequence-counts.ts';

/** A subscriber at the end of the chain that counts how often each message comes, and whether its order is kept. */
export class Ledger implements AsyncDisposable {
  readonly #client: Client;
  readonly #counts = new Map<string, SequenceCounts>();
  readonly #last = new Map<string, number>();
  readonly #repeated = new Set<string>();
  /** Different messages that came. */
  distinct = 0;
  /** Called when a message comes for the first time. */
  onFirst: (mac: string, sequence: number) => void = () => {};
  readonly #qos: Qos;
  /** Messages that came behind a later one of the same detector, repeats apart. */
  outOfOrder = 0;

  private constructor(client: Client, qos: Qos) {
    this.#client = client;
    this.#qos = qos;
  }

  /** Subscribes at the cloud with a session of its own. */
  static async open(chain: FaultChain, qos: Qos): Promise<Ledger> {
    const clock = new SystemClock();
    const client = new Client({
      ...(await chain.visitor()),
      clock,
      log: silentLogger,
      clientId: 'ledger',
      version: 5,
      cleanStart: false,
      sessionExpirySeconds: 86_400,
      keepAliveSeconds: 5,
      reconnect: { minimumMs: 100, maximumMs: 1000 },
    });
    const ledger = new Ledger(client, qos);
    client.onMessage = ({ payload }) => ledger.#note(payload.toString());
    await client.connect();
    await client.subscribe([{ filter: 'outTopic/#', qos }]);
    return ledger;
  }

  /** Messages that came more than once. */
  get repeated(): readonly string[] {
    return [...this.#repeated];
  }

  /** Different messages of these detectors that came. */
  distinctOf(macs: Iterable<string>): number {
    let sum = 0;
    for (const mac of macs) sum += this.#counts.get(mac)?.size ?? 0;
    return sum;
  }

  has(sequence: number, mac: string): boolean {
    return this.#counts.get(mac)?.has(sequence) ?? false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.close();
  }

  #note(text: string): void {
    const found = /^(\d+)-.* MAC:([0-9A-F:]+) /.exec(text);
    if (found === null) return;
    const [, sequence = '', mac = ''] = found;
    this.#take(Number(sequence), mac);
  }

  #take(sequence: number, mac: string): void {
    let counts = this.#counts.get(mac);
    if (counts === undefined) this.#counts.set(mac, (counts = new SequenceCounts()));
    if (counts.add(sequence) > 1) {
      this.#repeated.add(`${mac} ${sequence}`);
      return;
    }
    this.distinct++;
    if (sequence < (this.#last.get(mac) ?? 0)) this.outOfOrder++;
    this.#last.set(mac, sequence);
    this.onFirst(mac, sequence);
  }

  get qos(): Qos {
    return this.#qos;
  }
}

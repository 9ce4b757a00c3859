import { DavylampError, messageOf, SparingLog, type Clock, type Dialer, type Logger } from '#base';
import { Client } from '#client';
import { reasonName } from '#mqtt';
import type { MessageHandler, SubscribeOptions } from './options.ts';

/** Messages at QoS 1 and 2 that one handler may be busy with at a time; the rest waits in its queue. */
const maximumBusy = 1000;

export interface InsideContext {
  readonly dialer: Dialer;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A subscription of the program itself: a client of the broker like any other, in memory. */
export class InsideSubscription implements AsyncDisposable {
  readonly filter: string;
  readonly clientId: string;
  readonly #client: Client;
  readonly #handler: MessageHandler;
  readonly #log: SparingLog;

  constructor(clientId: string, filter: string, handler: MessageHandler, context: InsideContext) {
    this.filter = filter;
    this.clientId = clientId;
    this.#handler = handler;
    this.#log = new SparingLog(context.clock, context.log, 10);
    this.#client = new Client({
      ...context,
      clientId,
      version: 5,
      cleanStart: true,
      keepAliveSeconds: 0,
      receiveMaximum: maximumBusy,
      manualAcknowledge: true,
      maximumPacketSize: 0x0fff_ffff,
      reconnect: { minimumMs: 100, maximumMs: 5000 },
    });
  }

  /** Resolves when the broker has taken the subscription; retained messages come right after. Throws `REFUSED`. */
  async start({ qos = 0, sendRetained = true }: SubscribeOptions): Promise<void> {
    this.#client.onMessage = (message) => {
      const { topic, payload, retain, properties } = message.keep();
      const handed = { topic, payload, qos: message.qos, retain, properties };
      const acknowledge = (): void => message.acknowledge();
      try {
        const outcome = this.#handler(handed);
        if (outcome === undefined) acknowledge();
        else outcome.catch((error: unknown) => this.#onFault(error)).finally(acknowledge);
      } catch (error) {
        this.#onFault(error);
        acknowledge();
      }
    };
    await this.#client.connect();
    const [reasonCode = 0x80] = await this.#client.subscribe([
      { filter: this.filter, qos, retainHandling: sendRetained ? 0 : 2 },
    ]);
    if (reasonCode < 0x80) return;
    await this.close();
    throw new DavylampError(
      'REFUSED',
      `the broker refuses the subscription ${JSON.stringify(this.filter)}: ${reasonName(reasonCode)}`,
    );
  }

  /** No message comes after this resolves. */
  close(): Promise<void> {
    return this.#client.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** The message counts as dealt with: to repeat it would only repeat the fault. */
  #onFault(error: unknown): void {
    this.#log.error(`the handler of subscription ${this.filter} failed: ${messageOf(error)}`, {});
  }
}

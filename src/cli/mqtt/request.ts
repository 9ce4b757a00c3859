import { ReasonCode, reasonName } from '#mqtt';
import { readMessage } from './message-source.ts';
import type { PrintedMessage } from './output-format.ts';
import { Printing } from './printing.ts';
import { publishRefusal } from './publish.ts';
import { subscriptionOf } from './subscribe.ts';
import type { ToolClient, ToolClientOwner, ToolEnd } from './tool-client.ts';
import { ToolExit, type ToolSession } from './tool-session.ts';

/** Runs `davylamp rr`: subscribes to the response topic, publishes the request, prints the first response. */
export async function runRequest(session: ToolSession): Promise<number> {
  return new Requester(session, await readMessage(session)).run();
}

class Requester implements ToolClientOwner {
  readonly #session: ToolSession;
  readonly #payload: Buffer;
  readonly #client: ToolClient;
  readonly #printing: Printing;
  #sentAt = 0n;
  #isDone = false;
  #exit: number | null = null;
  #resolve: (exit: number) => void = () => {};

  constructor(session: ToolSession, payload: Buffer) {
    this.#session = session;
    this.#payload = payload;
    this.#client = session.createClient(this, false);
    this.#printing = new Printing(session, {
      pause: () => this.#client.pause(),
      resume: () => this.#client.resume(),
      close: () => this.#client.close(),
    });
  }

  async run(): Promise<number> {
    const { port, settings } = this.#session;
    const release = port.onStop((signal) => {
      this.#exit ??= signal === 'SIGINT' ? 130 : 143;
      this.#client.close(ReasonCode.DisconnectWithWill);
    });
    const timer =
      settings.timeoutSeconds === 0
        ? null
        : port.clock.after(settings.timeoutSeconds * 1000, () => {
            this.#exit ??= ToolExit.TimedOut;
            this.#session.complain('Timed out');
            this.#client.close(ReasonCode.DisconnectWithWill);
          });
    try {
      return await new Promise<number>((resolve) => {
        this.#resolve = resolve;
        this.#client.start();
      });
    } finally {
      timer?.cancel();
      release();
    }
  }

  onConnected(): void {
    const { settings } = this.#session;
    this.#client.subscribe([subscriptionOf(settings, settings.responseTopic ?? '')]);
  }

  onSubscribed(codes: readonly number[]): void {
    const refused = codes.find((code) => code >= 0x80);
    if (refused === undefined) this.#sendRequest();
    else this.#fail(`the broker refused the response topic: ${reasonName(refused)}`, ToolExit.Failed);
  }

  onMessage(message: PrintedMessage): void {
    const { settings, port } = this.#session;
    if (this.#isDone || (message.retain && settings.noRetained)) return;
    this.#isDone = true;
    const latency = port.nanoseconds() - this.#sentAt;
    this.#printing.print(message);
    if (settings.latency) this.#printing.write(Buffer.from(`Latency: ${latencyText(latency)}\n`));
    this.#client.close();
  }

  onPublished(packetId: number, reasonCode: number): void {
    if (reasonCode >= 0x80)
      this.#session.complain(`Warning: Publish ${packetId} failed: ${reasonName(reasonCode)}.`);
  }

  onRoom(): void {}
  onRetry(): void {}

  onEnd(end: ToolEnd): void {
    const exit = this.#session.exitCodeOf(end);
    this.#resolve(this.#exit ?? exit);
  }

  #sendRequest(): void {
    const { topics, qos, retain, properties, version, responseTopic } = this.#session.settings;
    this.#sentAt = this.#session.port.nanoseconds();
    const some =
      version === 5 && responseTopic !== undefined
        ? { ...properties.all.publish, responseTopic }
        : properties.all.publish;
    const code = this.#client.publish(topics[0] ?? '', this.#payload, qos, retain, some);
    if (code < 0) this.#fail(...publishRefusal(code));
  }

  #fail(why: string, exit: number): void {
    this.#session.complain(why);
    this.#exit ??= exit;
    this.#client.close();
  }
}

function latencyText(nanoseconds: bigint): string {
  const value = Number(nanoseconds);
  if (value >= 1e9) return (value / 1e9).toFixed(9);
  if (value < 1000) return `${value}ns`;
  return value < 1e6 ? `${(value / 1000).toFixed(6)}µs` : `${(value / 1e6).toFixed(6)}ms`;
}

import { ReasonCode, reasonName } from '#mqtt';
import { readMessage } from './message-source.ts';
import type { PrintedMessage } from './output-format.ts';
import { Printing } from './printing.ts';
import { publishRefusal } from './publish.ts';
import { subscriptionOf } from './subscribe.ts';
import { signalExit, Tool } from './tool.ts';
import { ToolExit, type ToolSession } from './tool-session.ts';

/** Runs `davylamp rr`: subscribes to the response topic, publishes the request, prints the first response. */
export async function runRequest(session: ToolSession): Promise<number> {
  return new Requester(session, await readMessage(session)).run();
}

class Requester extends Tool {
  readonly #payload: Buffer;
  readonly #printing: Printing;
  #sentAt = 0n;
  #isDone = false;

  constructor(session: ToolSession, payload: Buffer) {
    super(session, false);
    this.#payload = payload;
    this.#printing = new Printing(session, {
      pause: () => this.client.pause(),
      resume: () => this.client.resume(),
      close: () => this.close(),
    });
  }

  onStop(signal: 'SIGINT' | 'SIGTERM'): void {
    this.closeWith(signalExit(signal), ReasonCode.DisconnectWithWill);
  }

  onConnected(): void {
    const { settings } = this.session;
    this.client.subscribe([subscriptionOf(settings, settings.responseTopic ?? '')]);
  }

  override onSubscribed(codes: readonly number[]): void {
    const refused = codes.find((code) => code >= 0x80);
    if (refused === undefined) this.#sendRequest();
    else this.fail(`the broker refused the response topic: ${reasonName(refused)}`, ToolExit.Failed);
  }

  override onMessage(message: PrintedMessage): void {
    const { settings, port } = this.session;
    if (this.#isDone || (message.retain && settings.noRetained)) return;
    this.#isDone = true;
    const latency = port.nanoseconds() - this.#sentAt;
    this.#printing.print(message);
    if (settings.latency) this.#printing.write(Buffer.from(`Latency: ${latencyText(latency)}\n`));
    this.close();
  }

  #sendRequest(): void {
    const { topics, qos, retain, properties, version, responseTopic } = this.session.settings;
    this.#sentAt = this.session.port.nanoseconds();
    const some =
      version === 5 && responseTopic !== undefined
        ? { ...properties.all.publish, responseTopic }
        : properties.all.publish;
    const code = this.client.publish(topics[0] ?? '', this.#payload, qos, retain, some);
    if (code < 0) this.fail(...publishRefusal(code));
  }
}

function latencyText(nanoseconds: bigint): string {
  const value = Number(nanoseconds);
  if (value >= 1e9) return (value / 1e9).toFixed(9);
  if (value < 1000) return `${value}ns`;
  return value < 1e6 ? `${(value / 1000).toFixed(6)}µs` : `${(value / 1e6).toFixed(6)}ms`;
}

import { messageOf } from '#base';
import { ReasonCode } from '#mqtt';
import { LineSplitter } from './line-splitter.ts';
import { largestPayload, readMessage } from './message-source.ts';
import type { ToolInput } from './ports.ts';
import { signalExit, Tool } from './tool.ts';
import { ToolExit, type ToolSession } from './tool-session.ts';

/** Why a broker that said so before would not take a message, and the exit code for it. */
const refusals: ReadonlyMap<number, readonly [why: string, exit: number]> = new Map([
  [ReasonCode.QosNotSupported, ['the broker does not take this QoS; lower -q', ToolExit.QosNotSupported]],
  [
    ReasonCode.RetainNotSupported,
    ['the broker keeps no retained messages; leave -r out', ToolExit.RetainNotSupported],
  ],
  [ReasonCode.PacketTooLarge, ['the broker does not take a message so large', ToolExit.PacketTooLarge]],
  [
    ReasonCode.TopicAliasInvalid,
    ['the broker does not take this topic alias; leave topic-alias out', ToolExit.Failed],
  ],
]);

/** The line and the exit code for a publish that gave `-reasonCode`. */
export function publishRefusal(code: number): readonly [why: string, exit: number] {
  return refusals.get(-code) ?? ['the message could not be sent', ToolExit.Failed];
}

/** Runs `davylamp pub`. */
export async function runPublish(session: ToolSession): Promise<number> {
  if (session.settings.source === 'lines') return new LinePublisher(session).run();
  return new MessagePublisher(session, await readMessage(session)).run();
}

/** What both ways of publishing share. */
abstract class Publisher extends Tool {
  onStop(signal: 'SIGINT' | 'SIGTERM'): void {
    this.closeWith(signalExit(signal));
  }

  abstract override onRoom(): void;
  abstract onSettled(): void;

  override onPublished(packetId: number, reasonCode: number, reasonString: string | undefined): void {
    super.onPublished(packetId, reasonCode, reasonString);
    this.onSettled();
  }

  /** Sends one message; false: it was refused, and the end is near. */
  send(payload: Buffer): boolean {
    const { topics, qos, retain, properties } = this.session.settings;
    const code = this.client.publish(topics[0] ?? '', payload, qos, retain, properties.all.publish);
    if (code >= 0) return true;
    this.fail(...publishRefusal(code));
    return false;
  }
}

/** `-m`, `-f`, `-s` and `-n`, with `--repeat`. */
class MessagePublisher extends Publisher {
  readonly #payload: Buffer;
  #settled = 0;
  /** The next of `--repeat` waits for room. */
  #isDue = false;

  constructor(session: ToolSession, payload: Buffer) {
    super(session, false);
    this.#payload = payload;
  }

  onConnected(): void {
    this.send(this.#payload);
  }

  onRoom(): void {
    if (!this.#isDue || !this.client.hasRoom(this.session.settings.qos)) return;
    this.#isDue = false;
    this.send(this.#payload);
  }

  onSettled(): void {
    const { repeat, repeatDelayMs } = this.session.settings;
    this.#settled += 1;
    if (this.#settled >= repeat) {
      this.client.closeWhenSent();
      return;
    }
    const again = (): void => {
      this.#isDue = true;
      this.onRoom();
    };
    // Not at once even without a delay: the next one would come from within the last one.
    if (repeatDelayMs === 0) setImmediate(again);
    else this.session.port.clock.after(repeatDelayMs, again);
  }
}

/** `-l`: a message for each line, no faster than the broker takes them. */
class LinePublisher extends Publisher {
  readonly #input: ToolInput;
  #isReading = false;
  #isInputOver = false;
  #wakeUp: (() => void) | null = null;

  constructor(session: ToolSession) {
    super(session, true);
    this.#input = session.port.readInput();
  }

  onConnected(): void {
    if (this.#isReading) return;
    this.#isReading = true;
    this.#publishLines().then(
      () => {
        this.#isInputOver = true;
        this.#closeWhenSettled();
      },
      (error: unknown) => this.fail(messageOf(error), ToolExit.Failed),
    );
  }

  onRoom(): void {
    const wakeUp = this.#wakeUp;
    this.#wakeUp = null;
    wakeUp?.();
  }

  onSettled(): void {
    if (this.#isInputOver) this.#closeWhenSettled();
  }

  override onOver(): void {
    this.#input.close();
  }

  #closeWhenSettled(): void {
    if (this.client.inflight === 0) this.client.closeWhenSent();
  }

  async #publishLines(): Promise<void> {
    const { qos } = this.session.settings;
    const splitter = new LineSplitter(largestPayload);
    for await (const chunk of this.#input.chunks) {
      for (const line of splitter.push(chunk)) {
        while (!this.client.hasRoom(qos)) await this.#room();
        if (!this.send(line)) return;
      }
    }
    const last = splitter.end();
    if (last === null) return;
    while (!this.client.hasRoom(qos)) await this.#room();
    this.send(last);
  }

  #room(): Promise<void> {
    return new Promise((resolve) => {
      this.#wakeUp = resolve;
    });
  }
}

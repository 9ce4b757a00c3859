import type { MosquittoLogType } from '#config';
import type { LogSink, SinkOwner } from './log-sink.ts';

/** Below `$SYS/broker/log/`, as Mosquitto names them. What is not here is not published: it would tell of itself. */
const topics: ReadonlyMap<MosquittoLogType, string> = new Map([
  ['error', 'E'],
  ['warning', 'W'],
  ['notice', 'N'],
  ['information', 'I'],
  ['subscribe', 'M/subscribe'],
  ['unsubscribe', 'M/unsubscribe'],
  ['websockets', 'WS'],
]);
/** Lines of one turn of the event loop; what comes then is lost, and counted. */
const maximumWaitingLines = 1000;

/** Publishes a log line under `$SYS/broker/log/…`. */
export type PublishLine = (topic: string, line: string) => void;

/** Lines as messages of this broker. They are published after the packet that caused them has been handled. */
export class TopicSink implements LogSink {
  readonly #owner: SinkOwner;
  readonly #waiting: (readonly [string, string])[] = [];
  #publish: PublishLine = () => {};
  #lost = 0;
  #isScheduled = false;

  constructor(owner: SinkOwner) {
    this.#owner = owner;
  }

  /** There is a broker to publish at; what came before is not told to anybody. */
  set publish(publish: PublishLine) {
    this.#publish = publish;
  }

  write(line: string, type: MosquittoLogType): void {
    const name = topics.get(type);
    if (name === undefined) return;
    if (this.#waiting.length >= maximumWaitingLines) {
      this.#lost += 1;
      return;
    }
    this.#waiting.push([`$SYS/broker/log/${name}`, line]);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => this.#publishAll());
  }

  close(): Promise<void> {
    this.#publish = () => {};
    return Promise.resolve();
  }

  #publishAll(): void {
    this.#isScheduled = false;
    for (const [topic, line] of this.#waiting.splice(0)) this.#publish(topic, line);
    const lost = this.#lost;
    this.#lost = 0;
    if (lost > 0) this.#owner.onLost(this, lost);
  }
}

import type { FormatContext, OutputFormat, PrintedMessage } from './output-format.ts';
import { byteText } from './json-text.ts';
import { localTime } from './local-time.ts';

/** How messages are printed; see the options of that name. */
export interface PrinterOptions {
  readonly format: OutputFormat | undefined;
  readonly verbose: boolean;
  readonly endOfLine: boolean;
  readonly pretty: boolean;
  readonly watch: boolean;
  /** For the head of `--watch`. */
  readonly host: string;
  readonly nanoseconds: () => bigint;
  readonly complain: (what: string) => void;
}

/** Topics that `--watch` gives a line; more topics than lines of any terminal share the last one. */
const maximumWatched = 10_000;
const firstWatchLine = 2;

/** Gives the bytes that a message is printed as. */
export class MessagePrinter {
  readonly #options: PrinterOptions;
  readonly #newLine: string;
  readonly #lines = new Map<string, number>();

  constructor(options: PrinterOptions) {
    this.#options = options;
    this.#newLine = options.endOfLine ? '\n' : '';
  }

  /** What stands before the first message. */
  get head(): Buffer {
    return Buffer.from(this.#options.watch ? `\u001b[2J\u001b[1;1HBroker: ${this.#options.host}\n` : '');
  }

  print(message: PrintedMessage): Buffer {
    const body = this.#body(message);
    if (!this.#options.watch) return body;
    const line = this.#lineOf(message.topic);
    const last = firstWatchLine + this.#lines.size - 1;
    return Buffer.concat([Buffer.from(`\u001b[${line};1H`), body, Buffer.from(`\u001b[${last};1H\n`)]);
  }

  #body(message: PrintedMessage): Buffer {
    const { format, verbose } = this.#options;
    const { topic, payload } = message;
    if (format !== undefined)
      return Buffer.from(format.print(message, this.#context()) + this.#newLine, 'latin1');
    if (verbose) {
      // Without an end of line an empty message leaves no trace, as in mosquitto_sub.
      if (payload.length === 0) return Buffer.from(this.#newLine === '' ? '' : `${topic} (null)\n`);
      return Buffer.from(`${byteText(topic)} ${payload.toString('latin1')}${this.#newLine}`, 'latin1');
    }
    // A message without a payload is not printed at all.
    if (payload.length === 0) return Buffer.alloc(0);
    return this.#newLine === '' ? Buffer.from(payload) : Buffer.concat([payload, Buffer.from('\n')]);
  }

  #context(): FormatContext {
    const { nanoseconds, pretty, complain } = this.#options;
    return { time: localTime(nanoseconds()), pretty, complain };
  }

  #lineOf(topic: string): number {
    const known = this.#lines.get(topic);
    if (known !== undefined) return known;
    if (this.#lines.size < maximumWatched) this.#lines.set(topic, firstWatchLine + this.#lines.size);
    return firstWatchLine + this.#lines.size - 1;
  }
}

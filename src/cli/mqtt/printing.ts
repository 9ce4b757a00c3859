import { MessagePrinter } from './message-printer.ts';
import type { PrintedMessage } from './output-format.ts';
import type { ToolSession } from './tool-session.ts';

/** What is stopped while standard output is full, and told when nobody reads it any more. */
export interface PrintingClient {
  pause(): void;
  resume(): void;
  close(): void;
}

/** Prints messages, and stops the client while standard output does not take them. */
export class Printing {
  readonly #session: ToolSession;
  readonly #printer: MessagePrinter;
  readonly #pause: () => void;
  #isFull = false;

  constructor(session: ToolSession, client: PrintingClient) {
    this.#session = session;
    const { settings, port } = session;
    this.#printer = new MessagePrinter({
      format: settings.format,
      verbose: settings.verbose,
      endOfLine: settings.endOfLine,
      pretty: settings.pretty,
      watch: settings.watch,
      host: settings.unixPath ?? settings.host,
      nanoseconds: () => port.nanoseconds(),
      complain: (what) => session.complain(what),
    });
    port.output.onDrain = () => {
      if (!this.#isFull) return;
      this.#isFull = false;
      client.resume();
    };
    port.output.onClosed = () => client.close();
    this.#pause = () => client.pause();
    const { head } = this.#printer;
    if (head.length > 0) port.output.write(head);
  }

  print(message: PrintedMessage): void {
    this.write(this.#printer.print(message));
  }

  write(bytes: Buffer): void {
    if (bytes.length === 0 || this.#session.port.output.write(bytes) || this.#isFull) return;
    this.#isFull = true;
    this.#pause();
  }
}

import { ReasonCode, reasonName } from '#mqtt';
import type { PrintedMessage } from './output-format.ts';
import type { ToolClient, ToolClientOwner, ToolEnd } from './tool-client.ts';
import { ToolExit, type ToolSession } from './tool-session.ts';

/** What pub, sub and rr share: each runs until its client has ended, which a signal or its time limit (`-W`) may ask for. */
export abstract class Tool implements ToolClientOwner {
  readonly session: ToolSession;
  readonly client: ToolClient;
  #exit: number | null = null;
  #resolve: (exit: number) => void = () => {};

  /** `reconnect`: a connection that was open once is opened again and again. */
  constructor(session: ToolSession, reconnect: boolean) {
    this.session = session;
    this.client = session.createClient(this, reconnect);
  }

  /** Gives the exit code. */
  async run(): Promise<number> {
    const { port, settings } = this.session;
    const release = port.onStop((signal) => this.onStop(signal));
    const timer =
      settings.timeoutSeconds === 0
        ? null
        : port.clock.after(settings.timeoutSeconds * 1000, () =>
            this.fail('Timed out', ToolExit.TimedOut, ReasonCode.DisconnectWithWill),
          );
    try {
      return await new Promise<number>((resolve) => {
        this.#resolve = resolve;
        this.client.start();
      });
    } finally {
      timer?.cancel();
      release();
      this.onOver();
    }
  }

  abstract onStop(signal: 'SIGINT' | 'SIGTERM'): void;
  abstract onConnected(): void;
  /** Everything is over, however it ended. */
  onOver(): void {}

  onMessage(_message: PrintedMessage): void {}
  onSubscribed(_codes: readonly number[]): void {}
  onRoom(): void {}

  onPublished(packetId: number, reasonCode: number, reasonString: string | undefined): void {
    if (reasonCode < 0x80) return;
    const words = reasonString === undefined ? '' : ` (${reasonString})`;
    this.session.complain(`Warning: Publish ${packetId} failed: ${reasonName(reasonCode)}${words}.`);
  }

  onRetry(message: string): void {
    this.session.complain(`${message}; trying again`);
  }

  onEnd(end: ToolEnd): void {
    const exit = this.session.exitCodeOf(end);
    this.#resolve(this.#exit ?? exit);
  }

  close(reasonCode: number = ReasonCode.Success): void {
    this.client.close(reasonCode);
  }

  /** Ends with this exit code, or an earlier one. */
  closeWith(exit: number, reasonCode?: number): void {
    this.#exit ??= exit;
    this.close(reasonCode);
  }

  /** The same, and says why. */
  fail(why: string, exit: number, reasonCode?: number): void {
    this.session.complain(why);
    this.closeWith(exit, reasonCode);
  }
}

/** The exit code of a program that a signal has ended. */
export function signalExit(signal: 'SIGINT' | 'SIGTERM'): number {
  return signal === 'SIGINT' ? 130 : 143;
}

import { Worker } from 'node:worker_threads';
import { DavylampError, messageOf, type Clock, type ErrorCode, type Logger, type Timer } from '#base';
import type { Config, PlatformConfig } from '#config';
import { platformThreadModule } from './modules.ts';

/** What the thread is given. Plain data: it crosses to another heap. */
export interface PlatformThreadData {
  readonly platform: PlatformConfig;
  readonly name: string;
  readonly tenant: string;
  readonly logLevel: Config['logLevel'];
  readonly version: string;
}

/** What the thread says. */
export type PlatformThreadMessage =
  | { readonly kind: 'ready'; readonly apiPort: number }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string };

export interface PlatformHostOptions {
  readonly config: Config;
  readonly platform: PlatformConfig;
  readonly clock: Clock;
  readonly log: Logger;
  readonly version: string;
}

const restartMinimumMs = 500;
const restartMaximumMs = 30_000;

/**
 * Keeps the platform (ingest, store, alarms, API) alive in a thread of its own, so that a database never delays the
 * broker. When the thread fails, a new one goes on from the store; what was not committed was not acknowledged either and
 * comes again. A failure of the first start is the role's failure.
 */
export class PlatformThread {
  readonly #options: PlatformHostOptions;
  #worker: Worker | undefined;
  #backoffMs = restartMinimumMs;
  #restart: Timer | undefined;
  #closing = false;
  #apiPort = 0;

  constructor(options: PlatformHostOptions) {
    this.#options = options;
  }

  /** The port that the API really listens on. */
  get apiPort(): number {
    return this.#apiPort;
  }

  async start(): Promise<void> {
    await this.#spawn();
  }

  #spawn(): Promise<void> {
    const { config, platform, version, log } = this.#options;
    const data: PlatformThreadData = {
      platform,
      name: config.name,
      tenant: config.tenant,
      logLevel: config.logLevel,
      version,
    };
    return new Promise((resolve, reject) => {
      const worker = new Worker(platformThreadModule, { workerData: data, name: 'platform' });
      this.#worker = worker;
      let ready = false;
      let failure: DavylampError | undefined;
      worker.on('message', (message: PlatformThreadMessage) => {
        if (message.kind === 'ready') {
          ready = true;
          this.#apiPort = message.apiPort;
          this.#backoffMs = restartMinimumMs;
          resolve();
        } else failure = new DavylampError(message.code, message.message);
      });
      worker.on('error', (error) => {
        failure ??= new DavylampError('BUG', `the platform thread failed: ${messageOf(error)}`, {
          cause: error,
        });
      });
      worker.on('exit', () => {
        if (this.#worker === worker) this.#worker = undefined;
        const reason = failure ?? new DavylampError('BUG', 'the platform thread ended');
        if (!ready) reject(reason);
        else if (!this.#closing) {
          log.error(`${reason.message} (${reason.code})`);
          this.#restartLater();
        }
      });
    });
  }

  #restartLater(): void {
    const { clock, log } = this.#options;
    const delay = this.#backoffMs;
    this.#backoffMs = Math.min(delay * 2, restartMaximumMs);
    log.notice('the platform starts again from the store', { in_ms: delay });
    this.#restart = clock.after(delay, () => {
      this.#spawn().catch((error: unknown) => {
        log.error(messageOf(error));
        if (!this.#closing) this.#restartLater();
      });
    });
  }

  /** Asks the thread to commit what it has and stop; ends it after 5 s. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#restart?.cancel();
    const worker = this.#worker;
    if (worker === undefined) return;
    const gone = new Promise<void>((resolve) => {
      worker.once('exit', () => resolve());
    });
    worker.postMessage('stop');
    const timer = this.#options.clock.after(5000, () => void worker.terminate());
    await gone;
    timer.cancel();
  }
}

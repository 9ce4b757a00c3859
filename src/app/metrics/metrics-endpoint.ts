import { DavylampError, type Clock, type Logger } from '#base';
import type { Config, MetricsConfig } from '#config';
import { privacyWarnings } from '#security';
import type { PreparedChange } from '../broker/prepared-change.ts';
import { readSecret } from '../secrets.ts';
import type { MetricsServer, MetricsSource } from './metrics-server.ts';
import type { MetricsView } from './metrics-view.ts';
import { readinessOf } from './readiness.ts';
import { Requests } from './requests.ts';

export interface MetricsEndpointOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** What the role shows at this moment. */
  readonly look: () => MetricsView;
}

/** What a bearer token is made of (RFC 6750, 2.1), and long enough that nobody guesses it. */
const tokenForm = /^[A-Za-z0-9\-._~+/]{16,512}=*$/;

/** The place of a role's HTTP endpoint for monitoring: open where the configuration has `[metrics]`. */
export class MetricsEndpoint {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #look: () => MetricsView;
  readonly #requests = new Requests();
  #server: MetricsServer | null = null;
  #source: MetricsSource | null = null;

  constructor({ clock, log, look }: MetricsEndpointOptions) {
    this.#clock = clock;
    this.#log = log;
    this.#look = look;
  }

  /** For people: `metrics http://127.0.0.1:9464/metrics`; `null` = it is not open. */
  get title(): string | null {
    return this.#server === null ? null : `metrics http://${this.#server.place}/metrics`;
  }

  /** Opens what the configuration says. Rejects as `prepare` does. */
  async open(config: Config): Promise<void> {
    const change = await this.prepare(config);
    for (const warning of change.warnings) this.#log.warning(warning);
    change.commit();
  }

  /**
   * Reads the token and opens a new place, which answers nothing yet. Rejects with `PORT_TAKEN`, `LISTEN_FAILED`,
   * `FILE_UNREADABLE`, `CREDENTIALS_INVALID`, or `CONFIG_INVALID` for a change that takes a restart.
   */
  async prepare({ metrics }: Config): Promise<PreparedChange> {
    const old = this.#server;
    if (metrics === undefined) {
      const commit = (): void => {
        this.#server = null;
        void old?.close();
      };
      return { warnings: [], commit, abort: () => Promise.resolve() };
    }
    const token = await readToken(metrics);
    const warnings = await privacyWarnings(metrics.tokenFile === null ? [] : [metrics.tokenFile]);
    if (old !== null && isSamePlace(old.config, metrics)) {
      return { warnings, commit: () => old.changeToken(token), abort: () => Promise.resolve() };
    }
    const server = await this.#listen(metrics, token);
    const commit = (): void => {
      server.isOpen = true;
      this.#server = server;
      void old?.close();
    };
    return { warnings, commit, abort: () => server.close() };
  }

  /** Answers no more. */
  async close(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    await server?.close();
  }

  async #listen(config: MetricsConfig, token: string | null): Promise<MetricsServer> {
    // Only where it is asked for: the library and its watch on the event loop cost something.
    const { MetricsServer } = await import('./metrics-server.ts');
    this.#source ??= await this.#createSource();
    const about = { source: this.#source, requests: this.#requests, clock: this.#clock, log: this.#log };
    const server = new MetricsServer({ config, token, ...about });
    try {
      await server.start();
    } catch (error) {
      const isOurs = config.port !== 0 && this.#server?.config.port === config.port;
      if (!isOurs) throw error;
      throw new DavylampError(
        'CONFIG_INVALID',
        `metrics: port ${config.port} changes its address, which needs a restart`,
        { cause: error },
      );
    }
    return server;
  }

  async #createSource(): Promise<MetricsSource> {
    const { MetricsText } = await import('./metrics-text.ts');
    const metrics = new MetricsText(this.#requests);
    return {
      contentType: metrics.contentType,
      text: () => metrics.write(this.#look()),
      readiness: () => readinessOf(this.#look()),
    };
  }
}

/** It goes on with the new one: it listens at the same place. */
function isSamePlace(before: MetricsConfig, after: MetricsConfig): boolean {
  return before.address === after.address && before.port === after.port;
}

async function readToken({ tokenFile }: MetricsConfig): Promise<string | null> {
  if (tokenFile === null) return null;
  const token = await readSecret(tokenFile);
  if (tokenForm.test(token)) return token;
  throw new DavylampError(
    'CREDENTIALS_INVALID',
    `metrics: the first line of ${tokenFile} is not a token: 16 to 512 letters, digits and -._~+/; write one with: openssl rand -hex 32`,
  );
}

import type { DavylampError, ErrorCode } from '#base';
import { Backoff } from '#client';
import type { BridgeConfig } from '#config';
import type { Addresses } from './addresses.ts';

/** Faults that a quick try will not cure. */
const hopeless: ReadonlySet<ErrorCode> = new Set(['CONNECTION_REFUSED', 'TLS_INVALID']);
/** What a broker does that does not know bit 7 of the level: refuse, or just close. */
const turnedAway: ReadonlySet<ErrorCode> = new Set(['CONNECTION_REFUSED', 'CONNECTION_LOST', 'PROTOCOL']);

/** How a try, or the connection that it led to, ended. */
export interface Outcome {
  /** `null`: it was ended by this side, to be made again at once. */
  readonly fault: DavylampError | null;
  /** How long messages flowed, in milliseconds; -1 = they never did. */
  readonly connectedMs: number;
  /** The other side was dialled, and said no or nothing: else our own broker is the one that failed. */
  readonly wasRemote: boolean;
}

/** When and how a bridge tries again: pauses with jitter, the next address, the other level of 3.1.1. */
export class Retry {
  readonly #addresses: Addresses;
  readonly #backoff: Backoff;
  readonly #maySayBridge: boolean;
  /** 3.1.1: say that we are a bridge (bit 7 of the level), so that our own messages do not come back. */
  asBridge: boolean;

  constructor(config: BridgeConfig, addresses: Addresses) {
    this.#addresses = addresses;
    this.#backoff = new Backoff({ minimumMs: config.retryMinimumMs, maximumMs: config.retryMaximumMs });
    this.#maySayBridge = config.protocolVersion === 4 && config.tryPrivate !== false;
    this.asBridge = this.#maySayBridge;
  }

  /** Milliseconds to wait before the next try; 0 = another way is tried at once. */
  after({ fault, connectedMs, wasRemote }: Outcome): number {
    if (connectedMs >= 0) {
      this.#backoff.onConnectionEnd(connectedMs);
      this.#addresses.onLost();
    }
    if (fault === null) return 0;
    if (connectedMs < 0 && wasRemote && this.#hasAnotherWay(fault)) return 0;
    return hopeless.has(fault.code) ? this.#backoff.longest() : this.#backoff.next();
  }

  #hasAnotherWay({ code }: DavylampError): boolean {
    if (this.#maySayBridge && turnedAway.has(code)) {
      // The plain level is tried next, and so on in turn.
      this.asBridge = !this.asBridge;
      if (!this.asBridge) return true;
    }
    return this.#addresses.onFailed();
  }
}

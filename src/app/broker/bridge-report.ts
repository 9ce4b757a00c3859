import type { Clock } from '#base';
import { localClientId, type Bridge } from '#bridges';
import type { Broker, StateSource } from '#broker';
import type { BridgeConfig } from '#config';

/** What a bridge tells of itself under `$SYS/broker/davylamp/bridges/<name>/`. */
export function bridgeReport(
  config: BridgeConfig,
  bridge: Bridge,
  broker: Broker,
  clock: Clock,
): StateSource {
  const clientId = localClientId(config);
  const rates = { sent: new Rate(clock), received: new Rate(clock) };
  return () => {
    const { status } = bridge;
    const queue = broker.queueOf(clientId);
    const values: Record<string, string | number> = {
      state: status.state,
      since: new Date(status.since).toISOString(),
      address: bridge.target,
      last_error: status.lastError ?? '',
      connects: status.connects,
      sent: status.sent,
      'sent/rate': rates.sent.of(status.sent),
      received: status.received,
      'received/rate': rates.received.of(status.received),
      loops: status.loops,
      crossed: status.crossed,
      refused: status.refused,
      rejected: status.rejected,
      no_room: status.noRoom,
      too_large: status.tooLarge,
      unmapped: status.unmapped,
      'queue/messages': queue?.messages ?? 0,
      'queue/bytes': queue?.bytes ?? 0,
      'queue/in_flight': queue?.inflight ?? 0,
      'queue/oldest_seconds': Math.floor((queue?.oldestMs ?? 0) / 1000),
    };
    return Object.entries(values).map(([name, value]) => [`bridges/${config.name}/${name}`, value] as const);
  };
}

/** Growth a second since the last look. */
class Rate {
  readonly #clock: Clock;
  #count = 0;
  #at: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#at = clock.monotonic();
  }

  of(count: number): string {
    const now = this.#clock.monotonic();
    const seconds = (now - this.#at) / 1000;
    const rate = seconds <= 0 ? 0 : (count - this.#count) / seconds;
    this.#count = count;
    this.#at = now;
    return rate.toFixed(1);
  }
}

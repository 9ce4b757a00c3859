import type { DoorStatistics } from '#broker';
import { counter, familiesOf, type MetricFamily, type Shown } from './metric-family.ts';

const numbers: Readonly<Record<keyof DoorStatistics, Shown>> = {
  accepted: counter('accepted', 'Connections that were accepted.'),
  refused: counter('refused', 'Connections closed at once: too many, or the broker would not have them.'),
  handshakesRefused: counter('handshakes_refused', 'Of the refused: too many handshakes were under way.'),
  handshakeFailures: counter('handshake_failures', 'TLS and WebSocket handshakes that failed.'),
  proxyFailures: counter('proxy_failures', 'Connections whose PROXY header is missing or bad.'),
};

/** What each listener counts, by its name. */
export const listenerFamilies: readonly MetricFamily[] = familiesOf(
  'davylamp_listener_',
  ['listener', 'protocol'],
  numbers,
  ({ listeners }) =>
    listeners.map(({ name, protocol, statistics }) => ({
      labels: { listener: name, protocol },
      numbers: statistics,
    })),
);

import type { BridgeStatus } from '#bridges';
import { counter, familiesOf, gauge, type MetricFamily, type Shown } from './metric-family.ts';
import type { BridgeView } from './metrics-view.ts';

/** Every number of `BridgeStatus`: a new one does not compile until it has a name here. */
type BridgeNumber =
  | { [K in keyof BridgeStatus]: BridgeStatus[K] extends number ? K : never }[keyof BridgeStatus]
  | 'connected'
  | 'messages'
  | 'bytes'
  | 'inflight'
  | 'oldestMs';

const numbers: Readonly<Record<BridgeNumber, Shown>> = {
  connected: gauge('connected', '1 while messages flow, else 0.'),
  since: gauge('state_since_timestamp_seconds', 'When the bridge came into its state.', 0.001),
  messages: gauge('queue_messages', 'Messages that wait to be sent.'),
  bytes: gauge('queue_bytes', 'Bytes of the messages that wait to be sent.'),
  inflight: gauge('in_flight_messages', 'Messages that are sent and not acknowledged.'),
  oldestMs: gauge(
    'queue_oldest_seconds',
    'How long the oldest message has waited; 0 = nothing waits.',
    0.001,
  ),
  connects: counter('connects', 'Times that the link was made.'),
  sent: counter('sent', 'Messages passed to the other broker, repeats included.'),
  received: counter('received', 'Messages passed from the other broker, repeats included.'),
  loops: counter('loops', 'Not passed on: they have been here before, or have come too far.'),
  crossed: counter('crossed', 'Of the loops, what a bridge of the other broker carries too.'),
  refused: counter('refused', 'Passed on and refused by the broker that got them.'),
  rejected: counter('rejected', 'Given up: the broker that got them ended the link for them each time.'),
  noRoom: counter('no_room', 'Links that ended because a broker had no room; the messages wait.'),
  tooLarge: counter('too_large', 'Not passed on: larger than the other broker takes.'),
  unmapped: counter('unmapped', 'Not passed on: their topic is not one of this bridge.'),
};

/** What each bridge counts, by its name. */
export const bridgeFamilies: readonly MetricFamily[] = familiesOf(
  'davylamp_bridge_',
  ['bridge'],
  numbers,
  ({ bridges }) => bridges.map((bridge) => ({ labels: { bridge: bridge.name }, numbers: numbersOf(bridge) })),
);

function numbersOf({ status, queue }: BridgeView): Readonly<Record<BridgeNumber, number>> {
  return {
    ...status,
    connected: status.state === 'connected' ? 1 : 0,
    messages: queue?.messages ?? 0,
    bytes: queue?.bytes ?? 0,
    inflight: queue?.inflight ?? 0,
    oldestMs: queue?.oldestMs ?? 0,
  };
}

import { FakeClock, silentLogger, type Logger } from '#base';
import { Bridge, type BridgeOptions } from '#bridges';
import type { BridgeConfig } from '#config';
import { bridgeConfig, bridgeTopic } from './bridge-config.ts';
import { SessionBroker, turnUntil, type TestMessage } from './session-broker.ts';

/** A bridge between two scripted brokers. */
export interface Setup {
  readonly clock: FakeClock;
  readonly local: SessionBroker;
  readonly remote: SessionBroker;
  readonly bridge: Bridge;
}

const everything = bridgeTopic('both', 2, '#');

/** Everything both ways at QoS 2, over MQTT 5, but for `change` and `options`. Not started. */
export function setUp(
  change: Partial<BridgeConfig> = {},
  log: Logger = silentLogger,
  options: Partial<BridgeOptions> = {},
): Setup {
  const clock = new FakeClock();
  const local = new SessionBroker();
  const remote = new SessionBroker();
  const config = bridgeConfig({ keepAliveSeconds: 60, topics: [everything], ...change });
  const bridge = new Bridge({
    config,
    brokerName: 'north',
    localDialer: local.dialer,
    remoteDialer: remote.dialer,
    clock,
    log,
    ...options,
  });
  return { clock, local, remote, bridge };
}

/** Starts the bridge and waits until it is connected. */
export async function connect(setup: Setup): Promise<void> {
  setup.bridge.start();
  await turnUntil(() => setup.bridge.status.state === 'connected', setup.clock);
}

/** Every exchange is over on both sides. */
export function isQuiet({ local, remote, bridge }: Setup): boolean {
  const nothingLeft = local.unfinished + remote.unfinished + local.unreleased + remote.unreleased === 0;
  return nothingLeft && bridge.status.state === 'connected';
}

/** Messages 1 to `count` of a QoS. */
export function series(qos: 0 | 1 | 2, count: number): TestMessage[] {
  return Array.from({ length: count }, (_, index) => ({ topic: 'a/b', payload: String(index + 1), qos }));
}

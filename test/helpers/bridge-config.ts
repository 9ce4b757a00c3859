import type { BridgeConfig, BridgeTopicConfig } from '#config';

/** A topic that keeps its name on both sides. */
export function bridgeTopic(
  direction: BridgeTopicConfig['direction'],
  qos: BridgeTopicConfig['qos'],
  filter = 'gas/#',
): BridgeTopicConfig {
  return { filter, direction, qos, localPrefix: '', remotePrefix: '' };
}

/** A bridge from `north` to `relay`, over MQTT 5 and without TLS, that tries again soon; of nothing, unless said. */
export function bridgeConfig(change: Partial<BridgeConfig> = {}): BridgeConfig {
  return {
    name: 'relay',
    host: 'relay.example',
    port: 8883,
    tls: null,
    protocolVersion: 5,
    clientId: 'north-relay',
    username: null,
    passwordFile: null,
    keepAliveSeconds: 0,
    cleanStart: false,
    sessionExpirySeconds: 3600,
    retryMinimumMs: 100,
    retryMaximumMs: 1000,
    topics: [],
    ...change,
  };
}

import { SparingLog } from '#base';
import type { BridgeOptions } from './bridge-options.ts';
import type { BridgeStatus } from './bridge-status.ts';
import { Relay } from './relay.ts';

/** What relays have to tell their bridge. */
export interface RelayEvents {
  /** The broker that a message went `out` or `in` to has no room for it now. */
  readonly onNoRoom: (direction: 'out' | 'in', topic: string) => void;
  readonly onCrossed: (topic: string) => void;
}

/** Both directions of a bridge. */
export interface RelayPair {
  readonly out: Relay;
  readonly in: Relay;
}

export function createRelays(options: BridgeOptions, status: BridgeStatus, events: RelayEvents): RelayPair {
  const { config, clock, log, brokerName, bounds = null } = options;
  const shared = {
    topics: config.topics,
    brokerName,
    status,
    refusals: new SparingLog(clock, log),
    urgentTopics: config.urgentTopics ?? [],
    onCrossed: events.onCrossed,
  };
  return {
    out: new Relay({
      ...shared,
      direction: 'out',
      passesRetain: config.outgoingRetain !== false,
      maximumPacketSize: config.maximumPacketSize ?? 0,
      bounds: null, // the other broker does not say
      onNoRoom: (topic) => events.onNoRoom('out', topic),
    }),
    in: new Relay({
      ...shared,
      direction: 'in',
      passesRetain: true,
      maximumPacketSize: 0,
      bounds,
      onNoRoom: (topic) => events.onNoRoom('in', topic),
    }),
  };
}

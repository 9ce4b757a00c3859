/** Level 3: this broker as a client of another: a relay of packets between a local session and a remote one. */
export { Bridge } from './bridge.ts';
export type { BridgeOptions, MessageBounds } from './bridge-options.ts';
export { localClientId } from './bridge-packets.ts';
export type { BridgeState, BridgeStatus } from './bridge-status.ts';

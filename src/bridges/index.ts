/** Level 3: this broker as a client of another: a relay of packets between a local session and a remote one. */
export { Bridge, type BridgeOptions } from './bridge.ts';
export type { BridgeState, BridgeStatus } from './bridge-status.ts';

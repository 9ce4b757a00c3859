/** Level 2: the MQTT broker's core. Decides; no I/O: transports, time, trust and the journal are given to it. */
export { Broker, type OwnMessage } from './broker.ts';
export { networkOf } from './bounds/network-of.ts';
export type { MemoryGauge, MemoryUse } from './bounds/memory-guard.ts';
export type { BrokerOptions } from './core.ts';
export {
  noEvents,
  type BrokerEvent,
  type BrokerEvents,
  type ConnectionEnd,
  type PacketTrace,
} from './events.ts';
export type { ClientInfo, HookMessage, Hooks, MessageChange, MessageDrop, Transformed } from './hooks.ts';
export { boundNames, dropPolicies, type BoundName, type DropPolicy, type Statistics } from './statistics.ts';
export type * from './ports.ts';

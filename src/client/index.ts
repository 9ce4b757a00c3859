/**
 * Level 2: an MQTT client for 3.1.1 and 5 over a transport that is given to it, and its parts that a bridge shares:
 * one connection to a broker (`BrokerLink`), gathered writes (`PacketOutbox`) and the waiting time between tries
 * (`Backoff`).
 */
export type { ClientAuthentication, ClientExchange } from './authentication.ts';
export { Backoff } from './backoff.ts';
export { BrokerLink } from './broker-link.ts';
export type { BrokerLinkOptions, LinkOwner } from './link-options.ts';
export { Client } from './client.ts';
export { PacketOutbox } from './packet-outbox.ts';
export { createPublishProperties } from './publish-properties.ts';
export type {
  BackoffRange,
  ClientOptions,
  ClientState,
  ClientStatistics,
  MessageHandler,
  PublishOptions,
  PublishResult,
  ReceivedMessage,
  Scheduler,
  StateHandler,
  SubscribeProperties,
  SubscribeRequest,
} from './client-options.ts';

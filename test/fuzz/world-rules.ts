import assert from 'node:assert/strict';
import {
  type BrokerEvents,
  type HookMessage,
  type Hooks,
  type Identity,
  type MemoryGauge,
  type MemoryUse,
  type Redirect,
  type Transformed,
} from '#broker';
import type { LimitsConfig } from '#config';
import { ReasonCode } from '#mqtt';
import { wideLimits } from '../helpers/broker-harness.ts';
import { failure } from './fuzz-rules.ts';
import type { Random } from './random.ts';

/** Seconds; every session of a fuzzer's client is over after it. */
export const longestSession = 5;
/** Of one world, its observers among them. */
export const mostConnections = 40;
const wholeMemory = 100_000;

/** What the program around the broker does with clients. */
export const manageTasks = ['look', 'kick', 'review', 'close'] as const;
export type ManageTask = (typeof manageTasks)[number];

/** The bounds of one world: small, so that they are reached. */
export function limitsOf(random: Random): LimitsConfig {
  return {
    ...wideLimits,
    maximumPacketSize: random.pick([8192, 200_000]),
    maximumPacketSizeBeforeConnect: random.pick([2048, 100_000]),
    connectTimeoutMs: 2000,
    maximumConnections: mostConnections,
    receiveMaximum: random.pick([2, 5, 100]),
    receiveMaximumStrict: random.oneIn(2),
    maximumInflight: random.pick([1, 3, 20]),
    maximumQueuedMessages: random.pick([4, 20, 200]),
    maximumQueuedBytes: random.pick([2000, 100_000]),
    maximumSubscriptionsPerClient: random.pick([3, 20]),
    maximumTopicLevels: random.pick([3, 128]),
    maximumRetainedMessages: 500,
    maximumRetainedBytes: random.pick([1000, 1_000_000]),
    topicAliasMaximum: 3,
    maximumKeepAliveSeconds: random.pick([0, 2]),
    maximumSessionExpirySeconds: longestSession,
    maximumPendingBytes: random.pick([100, 500, 20_000]),
    maximumUserProperties: 6,
    overlappingCopies: random.oneIn(3) ? 'each' : 'one',
    checkPayloadFormat: random.oneIn(2),
    responsePrefix: random.oneIn(2) ? 'answers' : null,
    // Each connection of the fuzzer has an address of its own, and none is open twice.
    maximumConnectionsPerAddress: random.pick([0, 1]),
    maximumConnectionsPerUser: random.pick([0, 0, 2]),
    maximumSessions: random.pick([0, 0, 0, 4]),
    maximumMessageRate: random.pick([0, 0, 0, 0, 5, 50]),
    maximumMemory: random.pick([0, 0, wholeMemory]),
    retainExpirySeconds: random.pick([0, 0, 0, 3]),
    checkRetainSource: random.oneIn(3),
    maximumByteRate: random.pick([0, 0, 0, 0, 500, 20_000]),
    flappingConnects: random.pick([0, 0, 0, 3]),
    flappingWindowMs: 5000,
    flappingBanMs: 3000,
  };
}

/** What a program around the broker might do to messages. */
export function changeSome({ topic }: HookMessage): Transformed {
  if (topic === 'b') return { drop: 'asked to', reasonCode: ReasonCode.QuotaExceeded };
  if (topic === 'a/c') return { drop: 'asked to' };
  if (topic === 'constructor/b') throw failure;
  if (topic === 'a') return { properties: { contentType: 'changed', messageExpiry: 2 } };
  if (topic === '/') return { properties: null };
  return topic === 'b/b' ? { payload: Buffer.from('changed'), retain: true } : undefined;
}

export function redirectSome({ clientId, name }: Identity): Redirect | null {
  return clientId === 'd' ? { serverReference: 'elsewhere', isPermanent: name === 'u' } : null;
}

/** The memory is as full as the case wants it to be. */
export class FuzzMemory implements MemoryGauge {
  /** Of the bound, in percent. */
  percent = 10;

  read(): MemoryUse {
    return {
      heapBytes: (this.percent * wholeMemory) / 100,
      externalBytes: 0,
      heapLimitBytes: 100 * wholeMemory,
    };
  }

  collect(): void {}
}

/** Looks at what the broker tells, as a debug log does, but makes no text of it. */
export const curiousEvents: BrokerEvents = {
  onEvent: ({ kind }) => failAtSome(kind),
  packets: {
    received: (_who, { type }) => assert.ok(type > 0),
    denied: (_who, { topic }) => assert.notEqual(topic, ''),
    sent: (_who, { type }) => assert.ok(type > 0),
  },
};

function failAtSome(name: string): void {
  if (name === 'a' || name === 'not-connect') throw failure;
}

/** Handlers of a program around the broker, some of which fail. */
export function addHooks(hooks: Hooks): void {
  hooks.onClientConnected.push(({ clientId }) => failAtSome(clientId));
  hooks.onClientDisconnected.push(({ clientId }) => failAtSome(clientId));
  hooks.onSubscribed.push((_client, filter) => failAtSome(filter));
  hooks.onUnsubscribed.push((_client, filter) => failAtSome(filter));
  hooks.delivered = ({ topic }) => failAtSome(topic);
}

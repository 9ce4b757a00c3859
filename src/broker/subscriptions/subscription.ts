import type { Qos } from '#mqtt';
import { parseShare } from '#topics';
import type { StoredSubscription } from '../ports.ts';
import type { Session } from '../sessions/session.ts';

const none: readonly number[] = [];

/** A generation of access rules that never was: whoever has it asks again. */
export const neverDecided = -1;

/**
 * One session's interest in one filter, or, made by the router, in all its filters that match one topic. One shape for
 * both, because the delivery loop reads nothing else.
 */
export class Subscription {
  readonly kind = 0;
  readonly session: Session;
  /** As asked for, and as the journal keeps it; of merged ones, the first. */
  readonly options: StoredSubscription;
  readonly isMerged: boolean;
  readonly qos: Qos;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  readonly identifiers: readonly number[];
  /** The whole filter of a shared subscription; empty for any other. */
  readonly share: string;
  /** Generation of the access rules that `checksRead` was decided under. */
  generation: number;
  /** Each message is checked: the rules allow only some topics of the filter. */
  checksRead: boolean;
  /** Merged from several of which not all are no-local: what counts for the session's own messages; else `null`. */
  readonly whenLocal: Subscription | null;

  constructor(session: Session, options: StoredSubscription, generation: number, checksRead: boolean) {
    this.session = session;
    this.options = options;
    this.isMerged = false;
    this.qos = options.qos;
    this.noLocal = options.noLocal;
    this.retainAsPublished = options.retainAsPublished;
    this.identifiers = options.subscriptionIdentifier === 0 ? none : [options.subscriptionIdentifier];
    this.share = parseShare(options.filter) === null ? '' : options.filter;
    this.generation = generation;
    this.checksRead = checksRead;
    this.whenLocal = null;
  }

  /** May its client, of which the rules are known, read a message of this topic? */
  mayRead(topic: string): boolean {
    const { authorizer, identity } = this.session;
    if (this.generation !== authorizer.generation) this.decideAccess();
    return !this.checksRead || authorizer.mayRead(identity, topic);
  }

  /** Asks the rules of now whether each message has to be checked. Denied altogether = each is checked, and fails. */
  decideAccess(): void {
    const { authorizer, identity } = this.session;
    const filter = parseShare(this.options.filter)?.filter ?? this.options.filter;
    this.checksRead = this.isMerged || authorizer.maySubscribe(identity, filter) !== 'all';
    this.generation = authorizer.generation;
  }
}

/**
 * Overlapping subscriptions of one session give one copy, at the highest QoS, with all their identifiers
 * [MQTT-3.3.4-2] [MQTT-3.3.4-3] [MQTT-3.3.4-4]; 3.1.1: [MQTT-3.3.5-1].
 */
export function mergeSubscriptions(subscriptions: readonly Subscription[]): Subscription {
  const first = subscriptions[0]!;
  if (subscriptions.length === 1) return first;
  const foreign = subscriptions.filter((one) => !one.noLocal);
  const isMixed = foreign.length > 0 && foreign.length < subscriptions.length;
  const merged = {
    kind: 0 as const,
    session: first.session,
    options: first.options,
    isMerged: true,
    qos: Math.max(...subscriptions.map((one) => one.qos)) as Qos,
    noLocal: foreign.length < subscriptions.length,
    retainAsPublished: subscriptions.some((one) => one.retainAsPublished),
    identifiers: subscriptions.flatMap((one) => one.identifiers),
    share: '',
    generation: first.generation,
    // Conservative: the check at delivery is right whatever each filter was granted.
    checksRead: subscriptions.some((one) => one.checksRead || one.generation !== first.generation),
    whenLocal: isMixed ? mergeSubscriptions(foreign) : null,
  };
  return Object.assign(Object.create(Subscription.prototype) as Subscription, merged);
}

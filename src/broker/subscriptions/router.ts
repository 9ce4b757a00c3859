import { parseShare, RouteCache, TopicTree } from '#topics';
import type { Session } from '../sessions/session.ts';
import type { Statistics } from '../statistics.ts';
import { SharedGroup } from './shared-group.ts';
import { mergeSubscriptions, type Subscription } from './subscription.ts';

/** Topics whose route is remembered. */
const maximumCachedRoutes = 8192;

/** Routes with more targets are not kept in the cache, so that it holds at most 2 M pointers. */
const maximumCachedTargets = 256;

/** Who gets a message of one topic: each session once (or once for each subscription), and each shared group. */
export class Route {
  readonly targets: readonly Subscription[];
  readonly groups: readonly SharedGroup[];

  constructor(targets: readonly Subscription[], groups: readonly SharedGroup[]) {
    this.targets = targets;
    this.groups = groups;
  }

  get isEmpty(): boolean {
    return this.targets.length + this.groups.length === 0;
  }
}

const noRoute = new Route([], []);

/** Knows who wants what: subscriptions by filter, and for each topic its route. */
export class Router {
  readonly #tree = new TopicTree<Subscription | SharedGroup>();
  readonly #cache = new RouteCache<Route>(maximumCachedRoutes);
  /** By the whole `$share/<name>/<filter>`. */
  readonly #groups = new Map<string, SharedGroup>();
  readonly #statistics: Statistics;
  readonly #copiesEach: boolean;
  readonly #found: (Subscription | SharedGroup)[] = [];

  /** `copiesEach`: each of a session's subscriptions that match gets a copy, instead of one for them all. */
  constructor(statistics: Statistics, copiesEach: boolean) {
    this.#statistics = statistics;
    this.#copiesEach = copiesEach;
  }

  /** A route that was computed is right as long as this stands. */
  get generation(): number {
    return this.#tree.generation;
  }

  /** Adds the subscription, or replaces the one of the same filter [MQTT-3.8.4-3]. True = it is new. */
  subscribe(subscription: Subscription): boolean {
    const { session, options } = subscription;
    const isNew = !this.#take(session, options.filter);
    session.subscriptions.set(options.filter, subscription);
    if (isNew) session.filterBytes += filterCost(options.filter);
    const share = parseShare(options.filter);
    if (share === null) this.#tree.add(options.filter, subscription);
    else this.#joinGroup(options.filter, share.filter, subscription);
    this.#statistics.subscriptions++;
    return isNew;
  }

  /** False when the session has no such subscription. */
  unsubscribe(session: Session, filter: string): boolean {
    if (!this.#take(session, filter)) return false;
    session.subscriptions.delete(filter);
    session.filterBytes -= filterCost(filter);
    return true;
  }

  /** Removes all of a session that ends. */
  removeSession(session: Session): void {
    for (const filter of session.subscriptions.keys()) this.#take(session, filter);
    session.subscriptions.clear();
    session.filterBytes = 0;
  }

  /** The group of a shared subscription by its whole filter, while it has members. */
  group(share: string): SharedGroup | undefined {
    return this.#groups.get(share);
  }

  route(topic: string): Route {
    const generation = this.#tree.generation;
    const known = this.#cache.get(topic, generation);
    if (known !== undefined) return known;
    const route = this.#build(topic);
    if (route.targets.length <= maximumCachedTargets) this.#cache.set(topic, generation, route);
    return route;
  }

  #build(topic: string): Route {
    const found = this.#found;
    found.length = 0;
    this.#tree.collect(topic, found);
    if (found.length === 0) return noRoute;
    const groups: SharedGroup[] = [];
    const targets: Subscription[] = [];
    const bySession = new Map<Session, Subscription | Subscription[]>();
    for (const one of found) {
      if (one.kind === 1) {
        groups.push(one);
        continue;
      }
      if (this.#copiesEach) {
        targets.push(one); // [MQTT-3.3.4-5]
        continue;
      }
      const before = bySession.get(one.session);
      if (before === undefined) bySession.set(one.session, one);
      else if (Array.isArray(before)) before.push(one);
      else bySession.set(one.session, [before, one]);
    }
    found.length = 0;
    for (const one of bySession.values()) targets.push(Array.isArray(one) ? mergeSubscriptions(one) : one);
    return new Route(targets, groups);
  }

  #joinGroup(key: string, filter: string, subscription: Subscription): void {
    let group = this.#groups.get(key);
    if (group === undefined) {
      group = new SharedGroup(filter);
      this.#groups.set(key, group);
      this.#tree.add(filter, group);
    }
    group.add(subscription);
    this.#statistics.sharedSubscriptions++;
  }

  #take(session: Session, filter: string): boolean {
    const subscription = session.subscriptions.get(filter);
    if (subscription === undefined) return false;
    const group = parseShare(filter) === null ? undefined : this.#groups.get(filter);
    if (group === undefined) this.#tree.remove(filter, subscription);
    else {
      group.remove(session);
      this.#statistics.sharedSubscriptions--;
      if (group.size === 0) {
        this.#groups.delete(filter);
        this.#tree.remove(group.filter, group);
      }
    }
    this.#statistics.subscriptions--;
    return true;
  }
}

/** Memory of a subscription, the journal's part included, and of each level of its filter, as measured. */
const subscriptionBytes = 600;
const levelBytes = 100;

function filterCost(filter: string): number {
  let bytes = subscriptionBytes + levelBytes + filter.length;
  for (let at = filter.indexOf('/'); at >= 0; at = filter.indexOf('/', at + 1)) bytes += levelBytes;
  return bytes;
}

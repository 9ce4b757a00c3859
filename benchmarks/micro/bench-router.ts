import { Session } from '../../src/broker/sessions/session.ts';
import { Statistics } from '../../src/broker/statistics.ts';
import { Router } from '../../src/broker/subscriptions/router.ts';
import { Subscription } from '../../src/broker/subscriptions/subscription.ts';
import { openAuthorizer, wideLimits } from '../../test/helpers/broker-harness.ts';
import { filterOf } from './bench-topics.ts';

/** A router with this many subscriptions, one for each session, and what changes them. */
export class BenchRouter {
  readonly router = new Router(new Statistics(), false);

  constructor(subscriptions: number) {
    for (let i = 0; i < subscriptions; i++) this.subscribe(`client${i}`, filterOf(i));
  }

  subscribe(clientId: string, filter: string): Session {
    const session = new Session({ name: null, clientId }, openAuthorizer, wideLimits);
    const options = {
      filter,
      qos: 0,
      noLocal: false,
      retainAsPublished: false,
      retainHandling: 0,
      subscriptionIdentifier: 0,
    } as const;
    this.router.subscribe(new Subscription(session, options, openAuthorizer.generation, false));
    return session;
  }
}

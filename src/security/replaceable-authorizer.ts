import type { Authorizer, Identity } from '#broker';
import { allowAll } from './access-list.ts';

/** The access rules of a listener, whatever they are at the moment: a list, or none. */
export class ReplaceableAuthorizer implements Authorizer {
  generation = 0;
  #rules: Authorizer = allowAll;

  /** Other rules from now on: what is subscribed and queued is judged again. */
  replace(rules: Authorizer): void {
    this.#rules = rules;
    this.generation++;
  }

  mayPublish(identity: Identity, topic: string): boolean {
    return this.#rules.mayPublish(identity, topic);
  }

  mayRead(identity: Identity, topic: string): boolean {
    return this.#rules.mayRead(identity, topic);
  }

  maySubscribe(identity: Identity, filter: string): 'all' | 'some' | 'none' {
    return this.#rules.maySubscribe(identity, filter);
  }
}

import { utf8Length, type PublishProperties, type Will } from '#mqtt';
import type { BrokerCore } from './core.ts';
import { expiryTime, Message } from './message.ts';
import type { Session } from './sessions/session.ts';
import { stampedProperties } from './stamp.ts';
import { transformWill } from './transform.ts';

/** Publishes wills: at once, or when their delay is over or their session ends, whichever is first (MQTT 5, 3.1.3.2.2). */
export class Wills {
  readonly #core: BrokerCore;

  constructor(core: BrokerCore) {
    this.#core = core;
  }

  /** Publishes a will [MQTT-3.1.2-8], if its client may still publish there. */
  publish(session: Session, will: Will): void {
    const core = this.#core;
    if (!session.authorizer.mayPublish(session.identity, will.topic)) {
      core.drop('not-authorized', session.clientId, will.topic);
      core.sparing.notice(
        `the will of client ${session.clientId} is not published: not authorized`,
        { topic: will.topic },
        'a will is not published: not authorized',
      );
      return;
    }
    const transformed = transformWill(core, will, session.identity);
    if (transformed !== null) this.#route(session, transformed);
  }

  #route(session: Session, will: Will): void {
    const core = this.#core;
    const now = core.timeNow();
    const properties = willProperties(will);
    const message = new Message(
      will.topic,
      utf8Length(will.topic),
      will.payload,
      will.qos,
      will.retain,
      session.stampSite === null ? properties : stampedProperties(core, session.stampSite, properties),
      session.clientId,
      expiryTime(properties, now),
    );
    // [MQTT-3.1.2-14] [MQTT-3.1.2-15]
    if (will.retain) core.retained.store(message, session.source);
    core.publish(message);
    core.tellPublished(message, session.identity);
  }

  /** Keeps a will for `delaySeconds`, or until its session ends or is taken up again. */
  delay(session: Session, will: Will, delaySeconds: number): void {
    session.delayedWill = { will, dueAt: this.#core.timeNow() + delaySeconds * 1000 };
    this.#core.journal.recordWill(session.clientId, session.delayedWill);
  }

  cancel(session: Session): void {
    session.delayedWill = null;
    this.#core.journal.recordWillCleared(session.clientId);
  }

  publishDelayed(session: Session): void {
    const delayed = session.delayedWill;
    if (delayed === null) return;
    this.cancel(session);
    this.publish(session, delayed.will);
  }
}

function willProperties(will: Will): PublishProperties | null {
  if (will.properties === null) return null;
  return { ...will.properties, topicAlias: undefined, subscriptionIdentifiers: [] };
}

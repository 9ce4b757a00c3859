import type { Dialer } from '#base';
import type { Broker, ListenerProfile } from '#broker';
import { createMemoryDialer } from '#listeners';
import { allowAll } from '#security';

/** A way into our own broker for a part of this process: in memory, trusted, under a name of its own. `more`: how its messages wait. */
export function insideDialer(
  broker: Broker,
  name: string,
  more: Pick<ListenerProfile, 'limits' | 'queue'> = {},
): Dialer {
  const profile: ListenerProfile = {
    name: 'inside',
    isInside: true,
    authenticator: { authenticate: () => ({ reasonCode: 0, name }) },
    authorizer: allowAll,
    stampSite: null,
    minimumQos: 0,
    sharedClientIds: new Set(),
    ...more,
  };
  return createMemoryDialer((transport) => broker.accept(transport, profile));
}

import type { StoredSubscription, StoredWill } from '#broker';
import { DeliveryRing } from './delivery-ring.ts';

/** Where a record stands, and what it says. */
export interface Placed<T> {
  readonly value: T;
  lsn: number;
  readonly size: number;
}

/** What the journal knows of one session. */
export class SessionEntry {
  readonly id: number;
  /** `null` until its record was read: what depends on it may stand before it in the log. */
  clientId: string | null = null;
  owner: string | null = null;
  expirySeconds = 0;
  /** Wall time in milliseconds; 0 = connected. */
  disconnectedAt = 0;
  /** The highest serial of its deliveries, also of those that are gone. */
  lastSerial = 0;
  lsn = -1;
  size = 0;
  readonly subscriptions = new Map<string, Placed<StoredSubscription>>();
  /** LSN by packet id; `null` until the first. */
  incoming: Map<number, number> | null = null;
  will: Placed<StoredWill> | null = null;
  deliveries = new DeliveryRing();
  /** While the log is read: deliveries whose serial came after a higher one. Merged at the end. */
  late: DeliveryRing[] = [];

  constructor(id: number) {
    this.id = id;
  }
}

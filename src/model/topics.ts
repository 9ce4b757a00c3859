/**
 * The topics that Davylamp itself uses (DESIGN: native namespace; MISSION: the legacy detector).
 *
 *   davy/v1/<tenant>/<site>/<device>/reading | state | event
 *   davy/v1/<tenant>/<site>/<device>/command/<name> and …/command/<name>/result
 *   outTopic/<site address>/<device address>      a legacy detector speaks
 *   InTopic/<site address>/<device address>       a legacy detector listens
 */
export const nativePrefix = 'davy/v1';
export const legacyOutPrefix = 'outTopic';
export const legacyInPrefix = 'InTopic';

/**
 * User properties that a site's broker puts on what it takes from a detector, and removes when a detector sends them
 * itself. They travel over all bridges (MQTT 5), so that a reading which waited keeps its hour.
 */
export const stampProperty = {
  /** Name of the site that accepted the message. */
  site: 'davy-site',
  /** Reception time at the site, milliseconds since 1970, decimal. */
  received: 'davy-received',
  /** Unique at that site: `<start of the broker, base 36>-<count, base 36>`. */
  id: 'davy-id',
  /** `1` where the publisher said that it may have sent the message before (DUP); else it is not there. */
  repeat: 'davy-repeat',
} as const;

/** User properties of the bridges between Davylamp brokers (MQTT 5). */
export const bridgeProperty = {
  /** Of a message: a broker that it has left, once for each, in order; `>` before one that fetched it. */
  via: 'davy-via',
  /** Of CONNECT, by a bridge, and of the CONNACK that answers it: the broker that speaks. */
  broker: 'davy-broker',
} as const;

/** The stamp of a message, as read from its user properties. */
export interface Stamp {
  readonly site: string;
  readonly receivedAt: number;
  readonly id: string;
  /** Its publisher said that it may have sent it before. */
  readonly mayBeRepeat?: boolean;
}

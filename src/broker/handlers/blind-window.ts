import { ProtocolVersion, type Qos } from '#mqtt';
import type { Connection } from '../connection.ts';

/** Messages under way to a client that takes QoS 2 and cannot say how many: what Mosquitto takes as a bridge. */
const blindWindow = 20;

/**
 * Narrows the window towards a client before MQTT 5 that is granted QoS 2. A Mosquitto 2.0 that takes messages over its
 * bridge acknowledges what exceeds its 20 in flight, and drops it; in 3.1.1 it has no way to tell. At QoS 1 it keeps
 * them all, so those who take no more than that are not slowed.
 */
export function narrowBlindWindow(connection: Connection, qos: Qos): void {
  if (qos === 2 && connection.version !== ProtocolVersion.V5)
    connection.sendWindow = Math.min(connection.sendWindow, blindWindow);
}

import { randomBytes } from 'node:crypto';
import { createPublishProperties } from '#client';
import { PacketType, type ConnectPacket, type ConnectProperties, type Will } from '#mqtt';
import type { ToolSettings } from './settings.ts';

/** Unacknowledged messages that the broker may have under way to us, as the mosquitto tools allow it. */
const defaultReceiveMaximum = 20;
const forEver = 0xffff_ffff;

/** The CONNECT that the options ask for. */
export function connectPacketOf(settings: ToolSettings, processId: number): ConnectPacket {
  const { version, cleanSession, keepAliveSeconds, username, password } = settings;
  return {
    type: PacketType.Connect,
    version,
    bridge: false,
    clientId: clientIdOf(settings, processId),
    cleanStart: cleanSession,
    keepAlive: keepAliveSeconds,
    username,
    password: password === undefined ? undefined : Buffer.from(password),
    will: willOf(settings),
    properties: version === 5 ? propertiesOf(settings) : {},
  };
}

/** How many unacknowledged messages the broker may send us, with that CONNECT. */
export function receiveMaximumOf(settings: ToolSettings): number {
  const { count } = settings;
  // With `-C` no more than are wanted: the others stay with the broker.
  return count > 0 && count < defaultReceiveMaximum ? count : defaultReceiveMaximum;
}

/** MQTT 3.1 knows no empty client id; with 3.1.1 and 5 the broker chooses one. */
function clientIdOf({ clientId, clientIdPrefix, version }: ToolSettings, processId: number): string {
  if (clientId !== undefined) return clientId;
  if (clientIdPrefix !== undefined) return `${clientIdPrefix}${processId}`;
  return version === 3 ? `davy-${randomBytes(9).toString('hex')}` : '';
}

function willOf({ will, properties, version }: ToolSettings): Will | null {
  if (will.topic === undefined) return null;
  const { delay = 0, ...others } = properties.all.will;
  return {
    topic: will.topic,
    payload: Buffer.from(will.payload ?? ''),
    qos: will.qos,
    retain: will.retain,
    delay: version === 5 ? delay : 0,
    properties: version === 5 && Object.keys(others).length > 0 ? createPublishProperties(others) : null,
  };
}

function propertiesOf(settings: ToolSettings): ConnectProperties {
  const { cleanSession, sessionExpiry, properties } = settings;
  const expiry = sessionExpiry ?? (cleanSession ? 0 : forEver);
  return {
    ...(expiry === 0 ? {} : { sessionExpiry: expiry }),
    receiveMaximum: receiveMaximumOf(settings),
    ...properties.all.connect,
  };
}

import type { DeviceId, DeviceMessage } from '#model';

/** The detector that messages come from, and when the first of them was received. */
export const id = '5ccf7f1418ad' as DeviceId;
export const start = 1_700_000_000_000;

/** A legacy message without a number, a stamp or an address, unless said otherwise. */
export function message(fields: Partial<DeviceMessage> = {}): DeviceMessage {
  return {
    protocol: 'legacy',
    deviceId: id,
    mac: null,
    macSent: null,
    ip: null,
    sensorType: 'Gas',
    site: 'north',
    topic: 'outTopic/a/b',
    commandTopic: 'InTopic/a/b',
    sequence: undefined,
    bootId: undefined,
    requested: false,
    deviceTime: undefined,
    receivedAt: start,
    stampId: '',
    ...fields,
  };
}

/** The `count`-th message that the broker of the site took in its `run`, a second after the one before. */
export function stamped(
  count: number,
  fields: Partial<DeviceMessage> = {},
  run = 's',
  from = start,
): DeviceMessage {
  const stampId = `${run}-${count.toString(36)}`;
  return message({ stampId, receivedAt: from + count * 1000, ...fields });
}

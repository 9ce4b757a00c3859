import type { Alarm, AlarmTransition, Command, Device, DeviceId, IngestBatch, Reading } from '#model';

/** When the samples begin. */
export const start = 1_700_000_000_000;
/** A legacy detector. */
export const lamp = '5ccf7f1418ad' as DeviceId;
/** A host agent. */
export const host = 'north.host' as DeviceId;

/** A batch of nothing but what is given. */
export function batchOf(parts: Partial<IngestBatch>): IngestBatch {
  const nothing = { readings: [], devices: [], events: [], alarms: [] };
  return { ...nothing, transitions: [], commands: [], quarantined: [], ...parts };
}

/** Reading `n` of the legacy detector, `n` seconds after the start. */
export function readingOf(n: number, changes: Partial<Reading> = {}): Reading {
  return {
    deviceId: lamp,
    metric: 'gas',
    value: 0,
    unit: '1',
    epoch: 1,
    sequence: n,
    at: start + n * 1_000,
    receivedAt: start + n * 1_000,
    kind: 'regular',
    quality: 'good',
    stampId: `boot-${n}`,
    topic: 'outTopic/23.17.224.11/192.168.1.11',
    ...changes,
  };
}

/** The record of the legacy detector. */
export function deviceOf(changes: Partial<Device> = {}): Device {
  return {
    id: lamp,
    mac: '5C:CF:7F:14:18:AD',
    macSent: 'AD:18:14:7F:CF:5C',
    ip: '192.168.1.11',
    site: 'north',
    sensorType: 'Gas',
    protocol: 'legacy',
    topic: 'outTopic/23.17.224.11/192.168.1.11',
    commandTopic: 'InTopic/23.17.224.11/192.168.1.11',
    registration: 'new',
    firstSeen: start,
    lastSeen: start,
    epoch: 1,
    lastSequence: undefined,
    intervalMs: undefined,
    warmUntil: 0,
    counts: { missing: 0, repeated: 0, redelivered: 0, resets: 0 },
    ...changes,
  };
}

/** An alarm of the detector, raised `n` milliseconds after the start. */
export function alarmOf(n: number, changes: Partial<Alarm> = {}): Alarm {
  return {
    id: `${lamp}/gas/${start + n}`,
    deviceId: lamp,
    site: 'north',
    rule: 'gas',
    priority: 1,
    state: 'unacknowledged',
    setPoint: 0.5,
    raisedValue: 1,
    peakValue: 1,
    raisedAt: start + n,
    acknowledgedAt: null,
    acknowledgedBy: null,
    returnedAt: null,
    ...changes,
  };
}

/** The raising of an alarm. */
export function transitionOf(alarm: Alarm, changes: Partial<AlarmTransition> = {}): AlarmTransition {
  return {
    alarmId: alarm.id,
    deviceId: alarm.deviceId,
    kind: 'raise',
    from: 'normal',
    to: 'unacknowledged',
    at: alarm.raisedAt,
    by: 'system',
    value: 1,
    setPoint: 0.5,
    comment: '',
    ...changes,
  };
}

/** A command to the detector, `n` milliseconds after the start. */
export function commandOf(n: number, changes: Partial<Command> = {}): Command {
  return {
    id: `c${n}`,
    deviceId: lamp,
    name: 'Sleep',
    seconds: 0.5,
    by: 'Ada',
    at: start + n,
    state: 'sent',
    updatedAt: start + n,
    detail: '',
    ...changes,
  };
}

import type { AlarmView, DeviceView, ReadingView, StatusView } from '../../../src/api/types.ts';

/** A device as the API would show it, with what a test is about. */
export function deviceView(fields: Partial<DeviceView> & { readonly id: string }): DeviceView {
  return {
    mac: null,
    ip: null,
    site: 'north',
    name: fields.id,
    sensorType: 'Gas',
    protocol: 'legacy',
    topic: 'outTopic/1/2',
    state: 'normal',
    registration: 'approved',
    firstSeen: 0,
    lastSeen: 0,
    lastSequence: null,
    intervalMs: null,
    warmUntil: 0,
    acceptsCommands: true,
    counts: { missing: 0, repeated: 0, redelivered: 0, resets: 0 },
    values: [],
    ...fields,
  };
}

/** An unacknowledged critical alarm, with what a test is about. */
export function alarmView(fields: Partial<AlarmView> & { readonly id: string }): AlarmView {
  return {
    deviceId: 'd1' as AlarmView['deviceId'],
    device: 'd1',
    site: 'north',
    rule: 'gas',
    priority: 1,
    state: 'unacknowledged',
    setPoint: 1,
    raisedValue: 1,
    peakValue: 1,
    raisedAt: 0,
    acknowledgedAt: null,
    acknowledgedBy: null,
    returnedAt: null,
    ...fields,
  };
}

/** A reading of `gas`, with what a test is about. */
export function readingView(fields: Partial<ReadingView> & { readonly at: number }): ReadingView {
  return {
    metric: 'gas',
    value: 0,
    unit: '1',
    epoch: 1,
    sequence: null,
    receivedAt: fields.at,
    kind: 'regular',
    quality: 'good',
    ...fields,
  };
}

/** The status of a demo at a time of the server's clock. */
export function statusView(time: number): StatusView {
  const counts = {
    messages: 0,
    readings: 0,
    quarantined: 0,
    redelivered: 0,
    repeated: 0,
    missing: 0,
    commits: 0,
    lastCommitMs: 0,
  };
  return { name: 'cloud', tenant: 'demo', time, version: '0', demo: true, linksDown: [], counts };
}

import type { AlarmView, DeviceView } from '../../../src/api/types.ts';
import { stateLabel } from '../format.ts';

/** A site with its devices in the order of urgency. */
export interface SiteGroup {
  readonly site: string;
  /** Ids, most urgent first. */
  readonly ids: readonly string[];
  /** Of all devices of the site, also those that the filter hides. */
  readonly counts: DeviceCounts;
}

/** How many devices are in which state. A device that is new is in a state as well. */
export interface DeviceCounts {
  readonly total: number;
  readonly gas: number;
  readonly silent: number;
  readonly warming: number;
  readonly unapproved: number;
}

const urgency: Readonly<Record<DeviceView['state'], number>> = {
  gas: 0,
  silent: 1,
  'warming-up': 2,
  normal: 4,
};
const collator = new Intl.Collator('en', { numeric: true });

/** Counts devices by state, for the summary line. */
export function countDevices(devices: readonly DeviceView[]): DeviceCounts {
  const counts = { total: devices.length, gas: 0, silent: 0, warming: 0, unapproved: 0 };
  for (const device of devices) {
    if (device.state === 'gas') counts.gas += 1;
    else if (device.state === 'silent') counts.silent += 1;
    else if (device.state === 'warming-up') counts.warming += 1;
    if (device.registration === 'new') counts.unapproved += 1;
  }
  return counts;
}

/** `14 devices: 0 gas, 1 silent, 2 warming up, 1 new`. */
export function summaryText(counts: DeviceCounts): string {
  const { total, gas, silent, warming, unapproved } = counts;
  return `${total} device${total === 1 ? '' : 's'}: ${gas} gas, ${silent} silent, ${warming} warming up, ${unapproved} new`;
}

/**
 * True when every word of the filter occurs in what the screen shows of the device. Its sensor's type is left out:
 * whoever looks for `gas` means the state.
 */
export function matchesFilter(device: DeviceView, filter: string): boolean {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return true;
  const { name, id, site, mac, ip, topic, registration } = device;
  const text = [name, id, site, mac, ip, topic, stateLabel(device.state), registration]
    .join(' ')
    .toLowerCase();
  return words.every((word) => text.includes(word));
}

/** Sites by urgency of nothing but their name (places stay put); within a site gas first, then what cannot be trusted. */
export function groupDevices(devices: readonly DeviceView[], filter: string): readonly SiteGroup[] {
  const sites = Map.groupBy(devices, (device) => device.site);
  const groups: SiteGroup[] = [];
  for (const site of [...sites.keys()].sort(collator.compare)) {
    const all = sites.get(site) ?? [];
    const shown = all.filter((device) => matchesFilter(device, filter)).sort(byUrgency);
    if (shown.length > 0)
      groups.push({ site, ids: shown.map((device) => device.id), counts: countDevices(all) });
  }
  return groups;
}

function byUrgency(a: DeviceView, b: DeviceView): number {
  return rank(a) - rank(b) || collator.compare(a.name, b.name) || collator.compare(a.id, b.id);
}

function rank(device: DeviceView): number {
  if (device.state === 'normal' && device.registration === 'new') return 3;
  return urgency[device.state] ?? 3;
}

/** True while somebody has to see it: raised or returned, but not acknowledged. */
export function needsAcknowledge(alarm: AlarmView): boolean {
  return alarm.state === 'unacknowledged' || alarm.state === 'returned';
}

/** The banner's order: by priority, then what nobody has seen, then the newest. */
export function byPriority(a: AlarmView, b: AlarmView): number {
  return (
    a.priority - b.priority ||
    Number(needsAcknowledge(b)) - Number(needsAcknowledge(a)) ||
    b.raisedAt - a.raisedAt ||
    collator.compare(a.id, b.id)
  );
}

/** The list's order: active and unacknowledged first, then the newest. */
export function byActivity(a: AlarmView, b: AlarmView): number {
  return Number(a.state === 'normal') - Number(b.state === 'normal') || b.raisedAt - a.raisedAt;
}

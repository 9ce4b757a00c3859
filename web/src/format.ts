import type { AlarmView, DeviceView, ValueView } from '../../src/api/types.ts';

/** Text for people, from data. Pure: the same input gives the same text (times in the browser's own zone). */

const clockFormat = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
});
const dayFormat = new Intl.DateTimeFormat(undefined, { year: 'numeric', month: 'short', day: '2-digit' });
const numberFormats = [0, 1, 2, 3].map(
  (digits) => new Intl.NumberFormat('en-GB', { maximumFractionDigits: digits }),
);

/** `14:03:09`, local. */
export function formatClock(at: number): string {
  return clockFormat.format(at);
}

/** `14:03:09` on the same local day as `now`, else `20 Nov 2026 14:03:09`. */
export function formatTime(at: number, now: number): string {
  const day = dayFormat.format(at);
  return day === dayFormat.format(now) ? formatClock(at) : `${day} ${formatClock(at)}`;
}

/** `2026-11-20 14:03:09 UTC`: the same for every reader, for tooltips. */
export function formatUtc(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** A span in its largest useful units: `4 s`, `3 min`, `2 h 05 min`, `4 d`. Below zero counts as zero. */
export function formatSpan(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${String(minutes % 60).padStart(2, '0')} min`;
  return `${Math.floor(hours / 24)} d`;
}

/** Time that is left, rounded up: `2:05`; `0:00` when it is over. */
export function formatCountdown(milliseconds: number): string {
  const seconds = Math.max(0, Math.ceil(milliseconds / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/** An interval between readings, which may be far below a second: `0.01 s`, `2.5 s`, `5 min`. */
export function formatInterval(milliseconds: number): string {
  if (milliseconds < 60_000) return `${formatNumber(milliseconds / 1000, 2)} s`;
  return formatSpan(milliseconds);
}

/** A number with thousands marks and at most `digits` (0–3) digits behind the point. */
export function formatNumber(value: number, digits: number): string {
  return numberFormats[Math.min(3, Math.max(0, digits))]?.format(value) ?? String(value);
}

/** A value and its unit, apart so that the screen can set them in different sizes. */
export interface ValueText {
  readonly number: string;
  readonly unit: string;
}

const bytesPerStep = 1024;
const byteUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** A measured value as people write it: UCUM `Cel` → `°C`, bytes in binary steps, fractions such as loads in per cent. */
export function formatValue(metric: string, value: number, unit: string): ValueText {
  if (isGasSwitch(metric, unit)) return { number: String(value), unit: value >= 1 ? 'gas' : 'no gas' };
  if (unit === 'By') return formatBytes(value);
  if (unit === 'Cel') return { number: formatNumber(value, 1), unit: '°C' };
  if (unit === '1' && isShare(metric)) return { number: formatNumber(value * 100, 0), unit: '%' };
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return { number: formatNumber(value, digits), unit: unit === '1' ? '' : unit };
}

/** True for a digital output: `gas` without a unit, 0 or 1. */
export function isGasSwitch(metric: string, unit: string): boolean {
  return metric === 'gas' && (unit === '' || unit === '1');
}

function isShare(metric: string): boolean {
  return /(load|used|usage|share|ratio)$/.test(metric);
}

function formatBytes(value: number): ValueText {
  let step = 0;
  let rest = value;
  while (Math.abs(rest) >= bytesPerStep && step < byteUnits.length - 1) {
    rest /= bytesPerStep;
    step += 1;
  }
  return { number: formatNumber(rest, rest >= 100 || step === 0 ? 0 : 2), unit: byteUnits[step] ?? 'B' };
}

const metricNames = new Map([
  ['gas', 'Gas'],
  ['cpu_load', 'CPU load'],
  ['memory_used', 'Memory used'],
]);

/** `memory_free` → `Memory free`. */
export function metricLabel(metric: string): string {
  const words = metric.replaceAll(/[_.-]+/g, ' ').trim();
  return metricNames.get(metric) ?? `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
}

/** What stands behind a value that is not plainly good; empty for a good one. */
export function qualityNote(quality: ValueView['quality']): string {
  if (quality === 'good') return '';
  if (quality === 'warming') return 'still warming up';
  if (quality === 'uncertain-time') return 'time uncertain';
  return quality;
}

const stateNames = { gas: 'Gas', silent: 'Silent', 'warming-up': 'Warming up', normal: 'Normal' } as const;

/** `Gas`, `Silent`, `Warming up`, `Normal`. */
export function stateLabel(state: DeviceView['state']): string {
  return stateNames[state] ?? state;
}

const priorityNames = { 1: 'Critical', 2: 'High', 3: 'Medium', 4: 'Low' } as const;

/** `Critical`, `High`, `Medium`, `Low`. */
export function priorityLabel(priority: AlarmView['priority']): string {
  return priorityNames[priority] ?? `Priority ${String(priority)}`;
}

const alarmStateNames = {
  unacknowledged: 'Unacknowledged',
  acknowledged: 'Acknowledged',
  returned: 'Returned, not acknowledged',
  normal: 'Over',
} as const;

/** What an alarm's state means for people. */
export function alarmStateLabel(state: AlarmView['state']): string {
  return alarmStateNames[state] ?? state;
}

/** The legacy firmware prints the bytes of its MAC in reverse: this undoes it, or does it again. */
export function reverseMac(mac: string): string {
  return mac.split(':').reverse().join(':');
}

/** `1 device`, `14 devices`. */
export function countOf(count: number, noun: string): string {
  return `${formatNumber(count, 0)} ${noun}${count === 1 ? '' : 's'}`;
}

/** The page's title: what matters first, because a tab shows only its beginning. */
export function pageTitle(unacknowledged: number, active: number, stale: boolean): string {
  if (stale) return 'STALE · Davylamp';
  if (unacknowledged > 0) return `(${unacknowledged}) ALARM · Davylamp`;
  if (active > 0) return `${countOf(active, 'alarm')} · Davylamp`;
  return 'Davylamp';
}

/** The icon that says the same as the title; a file for each, because inlined images are forbidden. */
export function faviconPath(unacknowledged: number, stale: boolean): string {
  if (stale) return '/icons/stale.svg';
  if (unacknowledged <= 0) return '/icons/quiet.svg';
  return `/icons/alarm-${unacknowledged > 9 ? 'many' : unacknowledged}.svg`;
}

import type { Device, DeviceState, EpochMs } from '#model';

/** When a device counts as silent. */
export interface SilenceOptions {
  /** A device is silent when nothing was heard for this many of its intervals … */
  readonly silentAfterIntervals: number;
  /** … and for this many milliseconds at least. */
  readonly silentMinimumMs: number;
}

/** How long a device may say nothing, in milliseconds. */
export function silenceLimit(intervalMs: number | undefined, options: SilenceOptions): number {
  return Math.max(options.silentMinimumMs, options.silentAfterIntervals * (intervalMs ?? 0));
}

/** What the screen shows of a device: the most urgent that is true. Gas stays gas when its device falls silent. */
export function deviceState(
  device: Device,
  now: EpochMs,
  isGasActive: boolean,
  options: SilenceOptions,
): DeviceState {
  if (isGasActive) return 'gas';
  if (now - device.lastSeen > silenceLimit(device.intervalMs, options)) return 'silent';
  return device.warmUntil > now ? 'warming-up' : 'normal';
}

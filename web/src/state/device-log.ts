import { signal } from '@preact/signals';
import type { CommandView, ReadingView } from '../../../src/api/types.ts';
import type { DeviceEventView } from './types.ts';

/** Readings that are kept of the chosen device: some hours at a usual interval. The oldest go first. */
export const maximumReadings = 5000;

/** What the screen knows of the chosen device beyond its `DeviceView`: its history, oldest reading first. */
export class DeviceLog {
  readonly id: string;
  readonly readings = signal<readonly ReadingView[]>([]);
  readonly events = signal<readonly DeviceEventView[]>([]);
  /** Newest first. */
  readonly commands = signal<readonly CommandView[]>([]);
  readonly loaded = signal(false);

  constructor(id: string) {
    this.id = id;
  }

  /** Takes readings from the history (newest first) or the live feed, in any order; what is known already is dropped. */
  addReadings(readings: readonly ReadingView[]): void {
    const byKey = new Map(this.readings.value.map((reading) => [readingKey(reading), reading]));
    for (const reading of readings) byKey.set(readingKey(reading), reading);
    const sorted = [...byKey.values()].sort((a, b) => a.at - b.at || (a.sequence ?? 0) - (b.sequence ?? 0));
    this.readings.value = sorted.slice(-maximumReadings);
  }

  /** Takes commands of any device; keeps this one's, in their newest state. */
  addCommands(commands: readonly CommandView[]): void {
    const byId = new Map(this.commands.value.map((command) => [command.id, command]));
    for (const command of commands) {
      const known = byId.get(command.id);
      if (command.deviceId !== this.id || (known !== undefined && isBehind(command, known))) continue;
      byId.set(command.id, command);
    }
    this.commands.value = [...byId.values()].sort((a, b) => b.at - a.at).slice(0, 50);
  }
}

const progress: Readonly<Record<CommandView['state'], number>> = {
  pending: 0,
  sent: 1,
  delivered: 2,
  answered: 3,
  refused: 3,
  expired: 3,
};

/** The answer to a request may come after the feed that tells how the command went on. */
function isBehind(command: CommandView, known: CommandView): boolean {
  return progress[command.state] < progress[known.state];
}

/** The natural key of a reading: the count where there is one, else the time. */
function readingKey(reading: ReadingView): string {
  const count =
    reading.sequence === null ? `at ${reading.receivedAt}` : `${reading.epoch} ${reading.sequence}`;
  return `${reading.metric} ${count}`;
}

import { readdirSync, readlinkSync, watch } from 'node:fs';
import path from 'node:path';
import type { FaultChain } from './chain.ts';
import type { SeededRandom } from './random.ts';
import type { RoleProcess } from './role-process.ts';
import type { Fault } from './schedule.ts';

const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => void setTimeout(resolve, milliseconds));

/** Site and relay with a journal of small segments: one is begun and one is cleaned every few seconds. */
export const smallJournals = {
  siteTables: { persistence: 'maximum_size = "32MiB"' },
  relayTables: { persistence: 'maximum_size = "16MiB"' },
};

/** Kills in the middle of the journal's own work: a new segment, the removal of an old one, reading it all at the start. */
export function nextJournalFault(chain: FaultChain, random: SeededRandom): Fault {
  const role = random.pick([chain.site, chain.relay]);
  const folder = chain.journalOf(role);
  const event = random.between(1, 3);
  const later = random.between(0, 3);
  const times = random.between(1, 4);
  const outage = random.between(1000, 4000);
  const kinds: readonly Fault[] = [
    {
      name: `kill -9 ${role.name} ${later} ms after change ${event} in its journal's folder`,
      strike: async () => {
        await changeIn(folder, event);
        await pause(later);
        await role.kill();
        await role.start();
      },
    },
    {
      name: `kill -9 ${role.name}, ${times} times more while it reads its journal`,
      strike: () => killWhileReading(role, folder, times),
    },
    {
      name: `cut uplink for ${outage} ms, kill -9 site, ${times} times more while it reads its journal`,
      strike: async () => {
        chain.uplink.cut();
        await pause(outage);
        await killWhileReading(chain.site, chain.journalOf(chain.site), times);
        chain.uplink.heal();
      },
    },
    {
      name: `kill -9 ${role.name} ${later} ms after change ${event} in its journal's folder, and again while it reads it`,
      strike: async () => {
        await changeIn(folder, event);
        await pause(later);
        await killWhileReading(role, folder, 1);
      },
    },
  ];
  return random.pick(kinds);
}

/** Resolves right when the `count`th file in a folder appears, goes or is renamed; after 20 s in any case. */
function changeIn(folder: string, count: number): Promise<void> {
  return new Promise((resolve) => {
    let left = count;
    const done = (): void => {
      clearTimeout(limit);
      watcher.close();
      resolve();
    };
    const watcher = watch(folder, (event) => {
      if (event === 'rename' && --left === 0) done();
    });
    const limit = setTimeout(done, 20_000);
  });
}

async function killWhileReading(role: RoleProcess, folder: string, times: number): Promise<void> {
  await role.kill();
  for (let time = 0; time < times; time++) await role.startAndKill((pid) => hasSegmentOpen(pid, folder));
  await role.start();
}

/** A process has a segment of this journal open (Linux). */
function hasSegmentOpen(pid: number, folder: string): boolean {
  try {
    const files = `/proc/${pid}/fd`;
    return readdirSync(files).some((fd) => {
      const target = readlinkSync(path.join(files, fd));
      return target.startsWith(folder) && target.endsWith('.log');
    });
  } catch {
    return false; // gone meanwhile
  }
}

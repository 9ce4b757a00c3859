import type { FaultChain } from './chain.ts';
import type { NetworkLab } from './network-lab.ts';
import type { SeededRandom } from './random.ts';
import type { Fault } from './schedule.ts';

const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => void setTimeout(resolve, milliseconds));

/** Faults of the network between hosts, of which the processes hear nothing but silence. */
export function networkFaults(lab: NetworkLab): (chain: FaultChain, random: SeededRandom) => Fault {
  return (chain, random) => {
    const link = random.pick(lab.links);
    const role = random.pick(chain.roles);
    const percent = random.between(5, 20);
    const milliseconds = random.between(20, 300);
    const way = random.pick(['up', 'down'] as const);
    const long = random.between(1000, 6000);
    /** Longer than keep-alive and its grace, so that connections are given up. */
    const longest = random.between(8000, 12_000);
    const during = async (fault: Promise<void>, lasts: number): Promise<void> => {
      await fault;
      await pause(lasts);
      await link.heal();
    };
    const kinds: readonly Fault[] = [
      {
        name: `${percent} % loss on ${link.name} for ${long} ms`,
        strike: () => during(link.lose(percent), long),
      },
      {
        name: `${milliseconds} ms delay with jitter on ${link.name} for ${long} ms`,
        strike: () => during(link.slow(milliseconds), long),
      },
      {
        name: `${percent} % loss and ${milliseconds} ms delay everywhere for ${long} ms`,
        strike: async () => {
          for (const one of lab.links) {
            await one.slow(milliseconds);
            if (lab.means.hasFilter) await one.lose(percent);
          }
          await pause(long);
          await lab.heal();
        },
      },
      { name: `${link.name} unplugged for ${long} ms`, strike: () => during(link.unplug(), long) },
      { name: `${link.name} unplugged for ${longest} ms`, strike: () => during(link.unplug(), longest) },
      {
        name: `${link.name} silent ${way} for ${longest} ms`,
        strike: () => during(link.lose(100, way), longest),
      },
      {
        name: `${link.name} unplugged, kill -9 ${role.name} behind it`,
        strike: async () => {
          await link.unplug();
          await role.kill();
          await role.start();
          await during(Promise.resolve(), Math.min(long, 2000));
        },
      },
    ];
    return random.pick(kinds);
  };
}

import type { FaultChain } from './chain.ts';
import type { SeededRandom } from './random.ts';
import { nextFault, type Fault } from './schedule.ts';

const yearSeconds = 365 * 86_400;
const daySeconds = 86_400;
/** Times are looked at once a second, so this is when a process has surely seen it. */
const seenMs = 1500;

const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => void setTimeout(resolve, milliseconds));

/** Clocks that are set while their processes run, alone or with one of the faults of every chain. */
export function nextClockFault(chain: FaultChain, random: SeededRandom): Fault {
  const clock = random.pick(chain.clocks);
  const role = random.pick(chain.roles);
  const other = nextFault(chain, random);
  const offset = random.pick([yearSeconds, -daySeconds, 3600, -3600, 0]);
  const name = `clock of ${clock.name} set to ${offset >= 0 ? '+' : ''}${offset} s`;
  const set = async (): Promise<void> => {
    clock.set(offset);
    await pause(seenMs);
  };
  const kinds: readonly Fault[] = [
    { name, strike: set },
    {
      name: `${name}, and right again`,
      strike: async () => {
        await set();
        clock.set(0);
      },
    },
    {
      name: `${name}, then ${other.name}`,
      strike: async () => {
        await set();
        await other.strike();
      },
    },
    {
      name: `${name} while ${role.name} is down`,
      strike: async () => {
        await role.kill();
        clock.set(offset);
        await role.start();
      },
    },
  ];
  return random.pick(kinds);
}

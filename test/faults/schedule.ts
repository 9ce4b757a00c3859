import type { FaultChain } from './chain.ts';
import type { LinkProxy } from './link-proxy.ts';
import type { SeededRandom } from './random.ts';
import type { RoleProcess } from './role-process.ts';

/** One fault: what it is called, and what it does until everything is whole again. */
export interface Fault {
  readonly name: string;
  readonly strike: () => Promise<void>;
}

const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => void setTimeout(resolve, milliseconds));

/** What a fault may strike, and for how long. */
interface Draw {
  readonly role: RoleProcess;
  readonly other: RoleProcess;
  readonly link: LinkProxy;
  /** Milliseconds. */
  readonly short: number;
  readonly long: number;
}

/** The next fault of a schedule. Everything random is drawn here, so that a seed says what happens, in which order. */
export function nextFault(chain: FaultChain, random: SeededRandom): Fault {
  const role = random.pick(chain.roles);
  const link = random.pick(chain.links);
  const short = random.between(20, 400);
  const long = random.between(500, 4000);
  const other = random.pick(chain.roles.filter((one) => one !== role));
  const draw = { role, other, link, short, long };
  return random.pick([...faultsOfRoles(draw), ...faultsOfLinks(draw)]);
}

function faultsOfRoles({ role, other, short, long }: Draw): readonly Fault[] {
  return [
    {
      name: `kill -9 ${role.name}, ${short} ms later it starts again`,
      strike: async () => {
        await role.kill();
        await pause(short);
        await role.start();
      },
    },
    {
      name: `kill -9 ${role.name} and ${other.name} together, ${long} ms apart in coming back`,
      strike: async () => {
        await Promise.all([role.kill(), other.kill()]);
        await role.start();
        await pause(long);
        await other.start();
      },
    },
    {
      name: `kill -9 ${role.name}, and again ${short} ms after it is back`,
      strike: async () => {
        await role.kill();
        await role.start();
        await pause(short);
        await role.kill();
        await role.start();
      },
    },
    {
      name: `stop ${role.name} politely`,
      strike: async () => {
        await role.stop();
        await pause(short);
        await role.start();
      },
    },
    {
      name: `freeze ${role.name} for ${long} ms`,
      strike: async () => {
        role.freeze(true);
        await pause(long);
        role.freeze(false);
      },
    },
  ];
}

function faultsOfLinks({ role, link, short, long }: Draw): readonly Fault[] {
  return [
    {
      name: `cut ${link.name} for ${long} ms`,
      strike: async () => {
        link.cut();
        await pause(long);
        link.heal();
      },
    },
    { name: `reset ${link.name}`, strike: () => Promise.resolve(link.reset()) },
    {
      name: `half-open ${link.name} for ${long} ms`,
      strike: async () => {
        link.stall();
        await pause(long);
        link.heal();
      },
    },
    {
      name: `delay on ${link.name} of ${short} ms for ${long} ms`,
      strike: async () => {
        link.delay(short);
        await pause(long);
        link.heal();
      },
    },
    {
      name: `cut ${link.name}, kill -9 ${role.name} behind it`,
      strike: async () => {
        link.cut();
        await pause(short);
        await role.kill();
        await role.start();
        link.heal();
      },
    },
  ];
}

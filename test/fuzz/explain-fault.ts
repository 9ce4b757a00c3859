import { playRandomCase, type Operation } from './fuzz-case.ts';
import { FuzzWorld } from './fuzz-world.ts';
import { faultOf, formatCase, kindOf, minimize, textOf } from './minimize.ts';

/** A fault, and what had been done when it came. */
export interface FoundFault {
  readonly worldSeed: number;
  /** Of all cases that this world has had; the last one is the one that went wrong. */
  readonly caseSeeds: readonly number[];
  /** What the last case did. */
  readonly done: readonly Operation[];
  readonly error: unknown;
  /** Of the run, for people. */
  readonly where: string;
  /** It shows only when what is still alive is counted. */
  readonly checksLeaks: boolean;
}

/** What went wrong, and the least that shows it: of the last case if that is enough, else of all cases of its world. */
export async function explainFault(found: FoundFault): Promise<string> {
  const { worldSeed, caseSeeds, done, error, where, checksLeaks } = found;
  const said = textOf(error);
  if ((await faultOf(worldSeed, done, checksLeaks)) !== null)
    return `${where}: ${said}\n${await theLeast(worldSeed, done, checksLeaks)}`;
  const all = await operationsOf(worldSeed, caseSeeds);
  if (kindOf(await faultOf(worldSeed, all, checksLeaks)) === kindOf(said))
    return `${where}: ${said}\nThe last case alone is not enough.\n${await theLeast(worldSeed, all, checksLeaks)}`;
  const last = formatCase(worldSeed, done);
  return `${where}: ${said}\nIt does not happen in a fresh world; the last case had been this:\n${last}`;
}

async function theLeast(
  worldSeed: number,
  operations: readonly Operation[],
  checksLeaks: boolean,
): Promise<string> {
  const least = await minimize(worldSeed, operations, checksLeaks);
  const fault = (await faultOf(worldSeed, least, checksLeaks)) ?? '';
  return `The least that shows it:\n${formatCase(worldSeed, least)}\n${fault}`;
}

/** What these cases did, one after the other, as one case. */
async function operationsOf(worldSeed: number, caseSeeds: readonly number[]): Promise<Operation[]> {
  const operations: Operation[] = [];
  using world = new FuzzWorld(worldSeed);
  for (const caseSeed of caseSeeds) {
    if (operations.length > 0) operations.push({ kind: 'end' });
    try {
      await playRandomCase(world, caseSeed, operations);
    } catch {
      // It is looked for in what was done until then.
      break;
    }
  }
  return operations;
}

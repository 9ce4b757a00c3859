import { replay, type Operation } from './fuzz-case.ts';
import { FuzzWorld } from './fuzz-world.ts';
import { profileNames } from './fuzz-rules.ts';
import { leakOf } from './leaks.ts';
import { manageTasks } from './world-rules.ts';

/** A fault that takes more replays than this to make smaller is shown as small as it is by then. */
const maximumReplays = 5000;

/**
 * What goes wrong when this is done in a fresh world; `null` = nothing. `checksLeaks`: what is alive in the end is
 * counted, too.
 */
export async function faultOf(
  worldSeed: number,
  operations: readonly Operation[],
  checksLeaks = false,
): Promise<string | null> {
  using world = new FuzzWorld(worldSeed);
  try {
    await replay(world, operations);
    return checksLeaks ? await leakOf(world) : null;
  } catch (error) {
    return textOf(error);
  }
}

/** What an error says, and where it came from. */
export function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** Leaves out whatever is not needed to go wrong in the same way. */
export async function minimize(
  worldSeed: number,
  operations: readonly Operation[],
  checksLeaks = false,
): Promise<Operation[]> {
  const kind = kindOf(await faultOf(worldSeed, operations, checksLeaks));
  let replays = 0;
  let kept = [...operations];
  for (let size = Math.ceil(kept.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < kept.length && replays < maximumReplays; replays++) {
      const shorter = [...kept.slice(0, at), ...kept.slice(at + size)];
      if (kindOf(await faultOf(worldSeed, shorter, checksLeaks)) === kind) kept = shorter;
      else at += size;
    }
  }
  return kept;
}

/** The first words of a fault, without what differs from one time to the next. */
export function kindOf(fault: string | null): string {
  const [first = ''] = (fault ?? '').split('\n', 1);
  return first
    .replace(/^\w*Error: /, '')
    .replaceAll(/\d+/g, '0')
    .slice(0, 60);
}

/**
 * A case as text, a step per line:
 *
 *   world 17                a broker whose bounds come from this seed
 *   1 opens open            connection 1 comes by this listener
 *   1 > 10 0c …             it sends these bytes, and the event loop turns
 *   1 >> 10 0c …            it sends these bytes, and more comes in the same turn
 *   1 break                 also block, unblock
 *   advance 1000            milliseconds pass
 *   commit 3                the slow disk takes three records
 *   disk full               also disk failed, disk ok
 *   memory 95               percent of its bound, where this world has one
 *   crowd 30                so many connections come and say nothing
 *   manage kick             also look, review, close: what the program around the broker does
 *   end                     every client goes, and all must be as before: the end of a case before the last
 */
export function formatCase(worldSeed: number, operations: readonly Operation[]): string {
  return [`world ${worldSeed}`, ...operations.map(formatOperation)].join('\n');
}

function formatOperation(operation: Operation): string {
  switch (operation.kind) {
    case 'open':
      return `${operation.connection} opens ${operation.profile}`;
    case 'send':
      return `${operation.connection} ${operation.isLast ? '>' : '>>'} ${operation.bytes.toString('hex')}`;
    case 'advance':
      return `advance ${operation.milliseconds}`;
    case 'commit':
      return `commit ${operation.count}`;
    case 'disk':
      return `disk ${operation.state}`;
    case 'memory':
      return `memory ${operation.percent}`;
    case 'manage':
      return `manage ${operation.task}`;
    case 'crowd':
      return `crowd ${operation.count}`;
    case 'end':
      return 'end';
    default:
      return `${operation.connection} ${operation.kind}`;
  }
}

/** Reads what `formatCase` wrote. Throws on anything else. */
export function parseCase(text: string): { worldSeed: number; operations: Operation[] } {
  const [head = '', ...lines] = text.split('\n').filter((line) => line.trim() !== '');
  const world = /^world (-?\d+)$/.exec(head);
  if (world === null) throw new Error(`a case begins with 'world' and a number, not with: ${head}`);
  return { worldSeed: Number(world[1]), operations: lines.map(parseOperation) };
}

/** Steps that are of no connection. */
const wordsOfTheWorld: ReadonlySet<string> = new Set([
  'advance',
  'commit',
  'crowd',
  'disk',
  'end',
  'manage',
  'memory',
]);

function parseOperation(line: string): Operation {
  const [first = '', verb = '', rest = ''] = line.trim().split(' ');
  const connection = Number(first);
  switch (wordsOfTheWorld.has(first) ? first : verb) {
    case 'advance':
      return { kind: 'advance', milliseconds: Number(verb) };
    case 'commit':
      return { kind: 'commit', count: Number(verb) };
    case 'disk':
      return { kind: 'disk', state: oneOf(['ok', 'full', 'failed'] as const, verb) };
    case 'memory':
      return { kind: 'memory', percent: Number(verb) };
    case 'manage':
      return { kind: 'manage', task: oneOf(manageTasks, verb) };
    case 'crowd':
      return { kind: 'crowd', count: Number(verb) };
    case 'end':
      return { kind: 'end' };
    case 'opens':
      return { kind: 'open', connection, profile: oneOf(profileNames, rest) };
    case '>':
    case '>>':
      return { kind: 'send', connection, bytes: Buffer.from(rest, 'hex'), isLast: verb === '>' };
    case 'break':
    case 'block':
    case 'unblock':
      return { kind: verb as 'break', connection };
    default:
      throw new Error(`no step of a case: ${line}`);
  }
}

function oneOf<T extends string>(names: readonly T[], name: string): T {
  const known = names.find((one) => one === name);
  if (known === undefined) throw new Error(`'${name}' is none of ${names.join(', ')}`);
  return known;
}

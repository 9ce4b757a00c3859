import { replay, type Operation } from './fuzz-case.ts';
import { FuzzWorld } from './fuzz-world.ts';
import { profileNames, type ProfileName } from './fuzz-rules.ts';

/** What goes wrong when this is done in a fresh world; `null` = nothing. */
export async function faultOf(worldSeed: number, operations: readonly Operation[]): Promise<string | null> {
  try {
    await replay(new FuzzWorld(worldSeed), operations);
    return null;
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
}

/** Leaves out whatever is not needed to go wrong in the same way. */
export async function minimize(worldSeed: number, operations: readonly Operation[]): Promise<Operation[]> {
  const kind = kindOf(await faultOf(worldSeed, operations));
  let kept = [...operations];
  for (let size = Math.ceil(kept.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < kept.length;) {
      const shorter = [...kept.slice(0, at), ...kept.slice(at + size)];
      if (kindOf(await faultOf(worldSeed, shorter)) === kind) kept = shorter;
      else at += size;
    }
  }
  return kept;
}

/** The first words of a fault, without what differs from one time to the next. */
function kindOf(fault: string | null): string {
  return (fault ?? '').split('\n', 1)[0]!.replaceAll(/\d+/g, '0').slice(0, 60);
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
 *   disk full               also disk ok
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
      return `disk ${operation.isFull ? 'full' : 'ok'}`;
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

function parseOperation(line: string): Operation {
  const [first = '', verb = '', rest = ''] = line.trim().split(' ');
  const connection = Number(first);
  switch (['advance', 'commit', 'disk'].includes(first) ? first : verb) {
    case 'advance':
      return { kind: 'advance', milliseconds: Number(verb) };
    case 'commit':
      return { kind: 'commit', count: Number(verb) };
    case 'disk':
      return { kind: 'disk', isFull: verb === 'full' };
    case 'opens':
      return { kind: 'open', connection, profile: profileOf(rest) };
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

function profileOf(name: string): ProfileName {
  const profile = profileNames.find((one) => one === name);
  if (profile === undefined) throw new Error(`there is no listener ${name}`);
  return profile;
}

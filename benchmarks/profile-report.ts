/** Time of one function alone, without what it calls. */
interface FunctionTime {
  readonly name: string;
  readonly part: string;
  readonly microseconds: number;
}

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
}

const idle = 'idle';
const shownFunctions = 12;

/**
 * Reads a profile of V8 (`.cpuprofile`): what each function took, longest first. Only of the last `seconds` until the
 * last message: its start, and clients that come and go, are another matter.
 */
export function readProfile(text: string, seconds: number): FunctionTime[] {
  const { nodes, samples, timeDeltas } = JSON.parse(text) as {
    nodes: ProfileNode[];
    samples: number[];
    timeDeltas: number[];
  };
  const byId = new Map(nodes.map((node) => [node.id, functionOf(node)]));
  const times = new Map<string, FunctionTime>();
  let left = seconds * 1e6;
  const last = samples.findLastIndex((id) => byId.get(id)?.name.includes('handlers/publish.ts') === true);
  for (let index = last; index >= 0 && left > 0; index--) {
    const found = byId.get(samples[index]!);
    const taken = timeDeltas[index] ?? 0;
    left -= taken;
    if (found === undefined) continue;
    const before = times.get(found.name)?.microseconds ?? 0;
    times.set(found.name, { ...found, microseconds: before + taken });
  }
  return [...times.values()].sort((one, other) => other.microseconds - one.microseconds);
}

function functionOf({ callFrame }: ProfileNode): { name: string; part: string } {
  const { functionName, url, lineNumber } = callFrame;
  return {
    name: `${functionName || '(anonymous)'}  ${placeOf(url, lineNumber)}`,
    part: partOf(functionName, url),
  };
}

/** What a reader wants to know: the parts, then the longest functions; shares of the time that is not idle. */
export function formatProfile(times: readonly FunctionTime[], messages: number): string {
  const busy = times.filter(({ part }) => part !== idle);
  const total = busy.reduce((sum, { microseconds }) => sum + microseconds, 0);
  const parts = new Map<string, number>();
  for (const { part, microseconds } of busy) parts.set(part, (parts.get(part) ?? 0) + microseconds);
  const line = (name: string, microseconds: number): string =>
    `${((microseconds / total) * 100).toFixed(1).padStart(6)} %  ${(microseconds / messages).toFixed(3).padStart(7)} µs  ${name}`;
  return [
    `${messages.toLocaleString('en')} messages, ${(total / messages).toFixed(2)} µs each while profiled`,
    ...[...parts].sort(([, a], [, b]) => b - a).map(([name, microseconds]) => line(name, microseconds)),
    '  of which',
    ...busy.slice(0, shownFunctions).map(({ name, microseconds }) => line(name, microseconds)),
  ].join('\n');
}

/** The layer of ours, or what of Node. */
function partOf(functionName: string, url: string): string {
  if (functionName === '(idle)') return idle;
  if (functionName === '(garbage collector)') return 'garbage collection';
  if (functionName === '(program)' || (url === '' && functionName !== '(root)'))
    return 'system calls and C++';
  const layer = /\/src\/(\w+)\//.exec(url)?.[1];
  if (layer !== undefined) return `src/${layer}`;
  if (/^node:(?:net|internal\/(?:stream|streams\/))/.test(url)) return "Node's streams and sockets";
  return 'Node, other';
}

function placeOf(url: string, line: number): string {
  const file = /\/(src\/.*)$/.exec(url)?.[1] ?? url;
  return file === '' ? '' : `${file}:${line + 1}`;
}

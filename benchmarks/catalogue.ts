import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Bench } from './bench.ts';
import { connectionBenches } from './connection-benches.ts';
import { loadBenches, selfBenches } from './load-benches.ts';

/** A benchmark that is a program of its own: it measures one thing and prints it. */
export interface ScriptBench {
  readonly name: string;
  readonly group: string;
  readonly description: string;
  readonly file: string;
}

/** What `--list` says of a group. */
export const groups: ReadonlyMap<string, string> = new Map([
  ['main', 'the shapes that the broker is built for; what runs when nothing is named'],
  ['more', 'further shapes'],
  ['self', 'our broker by itself: MQTT 5, access list'],
  ['tls', 'over TLS'],
  ['ws', 'over WebSocket'],
  ['payload', 'larger messages'],
  ['idle', 'memory of connections that say nothing'],
  ['storm', 'connections made and closed at once'],
  ['micro', 'hot functions, each a program in micro/'],
  ['chain', 'from a site to committed rows'],
]);

/** Those that take turns on a pinned core. */
export const benches: readonly Bench[] = [...loadBenches, ...selfBenches, ...connectionBenches];

/** Whatever stands in `micro/`, and the chain. */
export function scriptBenches(): readonly ScriptBench[] {
  const { dirname } = import.meta;
  const micro = globSync('micro/*.bench.ts', { cwd: dirname })
    .toSorted()
    .map((file) => scriptBench(path.basename(file, '.bench.ts'), 'micro', path.join(dirname, file)));
  return [...micro, scriptBench('chain', 'chain', path.join(dirname, 'chain.ts'))];
}

/** The description is the first sentence of the file's own comment. */
function scriptBench(name: string, group: string, file: string): ScriptBench {
  const comment = /\/\*\*([\s\S]*?)\*\//.exec(readFileSync(file, 'utf8'))?.[1] ?? '';
  const text = comment
    .replaceAll(/^\s*\*\s?/gm, '')
    .replaceAll(/\s+/g, ' ')
    .trim();
  const description = /^.*?(?=[.:] |[.:]?$)/.exec(text)?.[0] ?? '';
  return { name, group, description, file };
}

/** All names with what they measure, by group. */
export function formatCatalogue(): string {
  const all = [...benches, ...scriptBenches()];
  return [...groups]
    .map(([group, about]) => {
      const lines = all
        .filter((one) => one.group === group)
        .map(({ name, description }) => `  ${name.padEnd(20)} ${description}`);
      return `${group}: ${about}\n${lines.join('\n')}`;
    })
    .join('\n\n');
}

/**
 * The single truth about the layers (docs/decisions/0001-layers.md). Every import in `src` and `devices/simulators` must
 * go to a lower level through the door (`#name`), or stay inside its own folder; only the levels that may touch the
 * outside import Node's modules for it.
 */
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';

const root = path.dirname(import.meta.dirname);

/** Folder → level. A folder that is not here is an error. */
const levels: ReadonlyMap<string, number> = new Map([
  ['src/base', 0],
  ['src/model', 1],
  ['src/mqtt', 1],
  ['src/topics', 1],
  ['src/config', 1],
  ['src/broker', 2],
  ['src/client', 2],
  ['src/registry', 2],
  ['src/telemetry', 2],
  ['src/alarms', 2],
  ['src/commands', 2],
  ['src/listeners', 3],
  ['src/journal', 3],
  ['src/security', 3],
  ['src/store', 3],
  ['src/bridges', 3],
  ['src/api', 4],
  ['src/cli', 4],
  ['devices/simulators', 4],
  ['src/app', 5],
  ['src/embed', 5],
]);

/** Level 1 folders that other folders of level 1 may use. */
const sharedInLevelOne = new Set(['src/model', 'src/mqtt', 'src/topics']);

/** Node's modules by the lowest level that may import them; others are free. */
const outsideModules = new Map<string, number>(
  [
    'net',
    'tls',
    'fs',
    'fs/promises',
    'http',
    'https',
    'http2',
    'sqlite',
    'dgram',
    'dns',
    'child_process',
    'worker_threads',
    'os',
  ].map((name) => [`node:${name}`, 3]),
);

/** No package from npm here: these must stand on their own. */
const withoutPackages = new Set([
  'src/base',
  'src/mqtt',
  'src/topics',
  'src/model',
  'src/broker',
  'src/client',
]);

const doorOf = (folder: string): string =>
  `#${folder === 'devices/simulators' ? 'devices' : path.basename(folder)}`;
const folderOfDoor = new Map([...levels.keys()].map((folder) => [doorOf(folder), folder]));
const faults: string[] = [];

for (const file of globSync(['src/**/*.ts', 'devices/**/*.ts'], { cwd: root })) {
  const folder = [...levels.keys()].find((name) => file.startsWith(`${name}/`));
  if (folder === undefined) {
    faults.push(`${file}: its folder has no level; give it one in scripts/check-layers.ts`);
    continue;
  }
  const isTest = /\.(test|contract)\.ts$/.test(file);
  const text = readFileSync(path.join(root, file), 'utf8');
  for (const match of text.matchAll(
    /^\s*(?:import|export)\b[^'";]*?from\s*'([^']+)'|\bimport\(\s*'([^']+)'|^\s*import\s+'([^']+)'/gm,
  )) {
    const target = match[1] ?? match[2] ?? match[3] ?? '';
    const fault = isTest ? undefined : faultOf(file, folder, target);
    if (fault !== undefined) faults.push(`${file}: imports '${target}': ${fault}`);
  }
}

if (faults.length > 0) {
  console.error(faults.join('\n'));
  process.exitCode = 1;
} else {
  console.log(`layers: ${levels.size} folders, all imports go downward`);
}

function faultOf(file: string, folder: string, target: string): string | undefined {
  const level = levels.get(folder) ?? 0;
  if (target.startsWith('.')) {
    const reached = path.posix.join(path.posix.dirname(file), target);
    return reached.startsWith(`${folder}/`) ? undefined : 'leaves its folder; use the door of the other one';
  }
  if (target.startsWith('#')) {
    const other = folderOfDoor.get(target);
    if (other === undefined) return 'there is no such door';
    const otherLevel = levels.get(other) ?? 0;
    if (otherLevel < level) return undefined;
    if (level === 1 && otherLevel === 1 && sharedInLevelOne.has(other)) return undefined;
    return `level ${level} may not see level ${otherLevel}`;
  }
  if (target.startsWith('node:')) {
    const lowest = outsideModules.get(target);
    // The command line reads options and writes text; the simulators' host agent reads the machine: both are level 4.
    return lowest !== undefined && level < lowest
      ? `only levels ${lowest} and up may touch the outside`
      : undefined;
  }
  return withoutPackages.has(folder) ? 'this folder uses no package from npm' : undefined;
}

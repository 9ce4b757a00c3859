import { isDeepStrictEqual } from 'node:util';
import type { Config } from '#config';

/** What a running role cannot take over, and how a person calls it. */
const fixed: readonly (readonly [keyof Config, string])[] = [
  ['name', 'the name'],
  ['tenant', 'the tenant'],
  ['persistence', 'persistence'],
  ['pidFile', 'pid_file'],
  ['runAs', 'user'],
  ['sysIntervalSeconds', 'sys_interval'],
  ['gathersMessages', 'gather_messages'],
  ['commands', 'the command gate'],
  ['platform', 'the platform (store, alarms, API)'],
];

/** Names what is different and stays as it is until the next start. */
export function whatNeedsRestart(now: Config, next: Config): readonly string[] {
  const names = fixed.filter(([key]) => !isDeepStrictEqual(now[key], next[key])).map(([, name]) => name);
  // Routes are made by it.
  const hasOtherCopies = now.limits.overlappingCopies !== next.limits.overlappingCopies;
  return hasOtherCopies ? [...names, 'how many copies overlapping subscriptions get'] : names;
}

import { checkVersion, folderVersion } from './folder.ts';

/** One step from a version of the files to the next. */
export interface Migration {
  readonly from: number;
  readonly to: number;
  /** Changes the folder in place; it is locked. A crash on the way must leave what can be migrated again. */
  readonly migrate: (folder: string) => void;
}

/** All steps; version 1 is the first that was released. */
export const migrations: readonly Migration[] = [];

/**
 * Brings a folder to this version, step by step. Throws `JOURNAL_UNUSABLE` when it is newer, or older than the oldest
 * step. False = there is nothing in it.
 */
export function migrate(folder: string, steps: readonly Migration[] = migrations): boolean {
  for (;;) {
    const version = folderVersion(folder);
    if (version === null) return false;
    const step = steps.find(({ from }) => from === version);
    if (step === undefined) {
      checkVersion(folder, version);
      return true;
    }
    step.migrate(folder);
  }
}

import os from 'node:os';
import process from 'node:process';
import { DavylampError, messageOf } from '#base';

/** Of this user there is one on every system. */
const lastResort = 'nobody';
/** Mosquitto's own user may be missing: then it takes `nobody`. */
const usual = 'mosquitto';

/**
 * Becomes another user, as a process that root has started. From the beginning files are opened as that user, so that a
 * reload and log rotation can open them again; only `asRoot` goes back, until `dropForGood`.
 */
export class Privileges {
  /** What is odd, for the log. */
  readonly warnings: readonly string[];
  readonly #uid: number;
  readonly #gid: number;
  /** Root is still to be had. */
  #canRise: boolean;

  private constructor(uid: number, gid: number, canRise: boolean, warnings: readonly string[]) {
    this.#uid = uid;
    this.#gid = gid;
    this.#canRise = canRise;
    this.warnings = warnings;
  }

  /** Without effect where the process is not root's, or is to stay so. Throws `CONFIG_INVALID` for a user that does not exist. */
  static drop(user: string | undefined): Privileges {
    if (process.geteuid?.() !== 0 || user === undefined) return new Privileges(-1, -1, false, []);
    if (user === 'root') {
      return new Privileges(-1, -1, false, ['the broker should not be run as root; name another user']);
    }
    const warnings: string[] = [];
    let name = user;
    let ids = idsOf(user);
    if (ids === null && user === usual) {
      name = lastResort;
      ids = idsOf(name);
      warnings.push(`there is no user ${user}; the broker runs as ${name}`);
    }
    if (ids === null) {
      throw new DavylampError('CONFIG_INVALID', `user ${user}: there is no such user; name one that exists`);
    }
    try {
      // Node has it and its types do not.
      (process as unknown as { initgroups(user: string, group: number): void }).initgroups(name, ids.gid);
      process.setegid?.(ids.gid);
      process.seteuid?.(ids.uid);
    } catch (error) {
      throw new DavylampError('CONFIG_INVALID', `user ${name}: cannot become it: ${messageOf(error)}`, {
        cause: error,
      });
    }
    return new Privileges(ids.uid, ids.gid, true, warnings);
  }

  /** Runs what only root may: a port below 1024, a key file of root's. */
  async asRoot<T>(action: () => Promise<T>): Promise<T> {
    if (!this.#canRise) return action();
    process.seteuid?.(0);
    try {
      return await action();
    } finally {
      process.seteuid?.(this.#uid);
    }
  }

  /** There is no way back. */
  dropForGood(): void {
    if (!this.#canRise) return;
    this.#canRise = false;
    process.seteuid?.(0);
    process.setgid?.(this.#gid);
    process.setuid?.(this.#uid);
  }
}

/** Node tells the numbers of one user only: of the effective one. */
function idsOf(user: string): { readonly uid: number; readonly gid: number } | null {
  try {
    process.seteuid?.(user);
  } catch {
    return null;
  }
  try {
    const { uid, gid } = os.userInfo();
    return { uid, gid };
  } finally {
    process.seteuid?.(0);
  }
}

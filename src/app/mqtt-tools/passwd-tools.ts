import { randomBytes } from 'node:crypto';
import { open, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { DavylampError, messageOf, systemCodeOf } from '#base';
import type { PasswdPort } from '#cli';
import {
  hashPasswordAs,
  hashScram,
  isHashedPassword,
  passwordHashKinds,
  type PasswordHashKind,
} from '#security';
import { SecretPrompt } from './secret-prompt.ts';

/** What `davylamp passwd` needs of the machine. */
export function createPasswdTools(): PasswdPort {
  const prompt = new SecretPrompt();
  return {
    readText,
    writeText,
    askSecret: (text) => prompt.ask(text),
    hashKinds: passwordHashKinds,
    hash: (kind, password, iterations) => hashPasswordAs(kind as PasswordHashKind, password, iterations),
    hashScram: (password, iterations) => hashScram(password, iterations),
    isHashed: isHashedPassword,
  };
}

async function readText(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return null;
    throw new DavylampError(
      'FILE_UNREADABLE',
      `${file} cannot be read (${systemCodeOf(error) ?? messageOf(error)}); check the path and its permissions`,
      { cause: error },
    );
  }
}

/** A file beside it, then renamed. The broker may run as another user than who calls: the owner and group stay. */
async function writeText(file: string, text: string): Promise<void> {
  const place = await realpath(file).catch(() => file); // a link stays a link
  const temporary = path.join(
    path.dirname(place),
    `.${path.basename(place)}.${randomBytes(6).toString('hex')}`,
  );
  try {
    const before = await stat(place).catch(() => undefined);
    const handle = await open(temporary, 'wx', 0o600);
    try {
      if (before !== undefined) {
        await handle.chown(before.uid, before.gid);
        await handle.chmod(before.mode & 0o770);
      } else {
        await handle.chmod(0o600); // whatever the umask says
      }
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, place);
  } catch (error) {
    await rm(temporary, { force: true });
    throw new DavylampError(
      'FILE_UNWRITABLE',
      `${file} cannot be written (${systemCodeOf(error) ?? messageOf(error)}); check the folder and its permissions`,
      { cause: error },
    );
  }
}

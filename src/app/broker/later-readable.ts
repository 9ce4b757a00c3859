import { access, constants } from 'node:fs/promises';
import type { Config, TlsFilesConfig } from '#config';

/**
 * Files of the configuration that this user may not read, for the log: root has opened them, and a reload, which runs as
 * this user, cannot.
 */
export async function unreadableFiles(config: Config): Promise<readonly string[]> {
  const files = new Set<string>();
  const add = (...some: (string | null | undefined)[]): void => {
    for (const file of some) if (typeof file === 'string') files.add(file);
  };
  const addTls = (tls: TlsFilesConfig | null): void =>
    add(tls?.caFile, tls?.caFolder, tls?.certificateFile, tls?.keyFile, tls?.crlFile, tls?.dhParametersFile);
  for (const listener of config.listeners) {
    add(listener.passwordFile, listener.scramFile, listener.accessFile, listener.pskFile);
    addTls(listener.tls);
  }
  for (const bridge of config.bridges) {
    add(bridge.passwordFile);
    addTls(bridge.tls);
    const psk = bridge.tls?.psk;
    if (psk !== undefined && 'file' in psk) add(psk.file);
  }
  const unreadable: string[] = [];
  for (const file of files) {
    await access(file, constants.R_OK).catch(() => unreadable.push(file));
  }
  return unreadable;
}

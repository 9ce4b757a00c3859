import { resolve } from 'node:path';
import { parseName } from '#model';
import type { Config, ConfigWarning, PersistenceConfig } from '../config.ts';
import { buildBridges } from './build-bridges.ts';
import { brokerLimits } from './build-limits.ts';
import { buildListeners } from './build-listeners.ts';
import { buildLog, logLevelOf } from './build-log.ts';
import { loadConfFile, type ConfSource } from './conf-file.ts';
import { ConfFindings } from './conf-findings.ts';
import type { ConfSection } from './conf-section.ts';
import { readConfTree, type ConfTree } from './conf-tree.ts';
import { ownDefaults } from './own-defaults.ts';

export interface MosquittoConfOptions {
  /** `-p`: counts where the file opens no listener. */
  readonly port?: number;
  /** `-v`: all types of lines are logged. */
  readonly verbose?: boolean;
}

/**
 * Reads mosquitto.conf(5), version 2.1, and what it includes, into the one configuration. `file` `null`: what Mosquitto
 * does without a file. Rejects with `FILE_UNREADABLE` for the file, and with `CONFIG_INVALID`: a line `file:line: …`
 * for each thing that is wrong.
 */
export async function readMosquittoConf(
  file: string | null,
  source: ConfSource,
  options: MosquittoConfOptions = {},
): Promise<{ config: Config; warnings: ConfigWarning[] }> {
  const findings = new ConfFindings();
  const root = file === null ? { file: 'defaults', entries: [] } : await loadConfFile(file, source, findings);
  const tree = readConfTree(root, source.folder, findings);
  const config = buildConf(tree, source, options, findings);
  if (options.port !== undefined && !tree.isLocalOnly)
    findings.note(
      root.file,
      `port ${options.port} of the command line has no effect: the file has listeners of its own`,
    );
  findings.throwFaults();
  return { config, warnings: findings.warnings };
}

function buildConf(
  tree: ConfTree,
  { folder, hostName }: ConfSource,
  { port, verbose = false }: MosquittoConfOptions,
  findings: ConfFindings,
): Config {
  const { broker } = tree;
  const defaults = ownDefaults();
  const limits = brokerLimits(broker, defaults.limits, findings);
  const mosquittoLog = buildLog(broker, verbose, folder, findings);
  const pidFile = broker.textOrNull('pid_file');
  return {
    role: 'broker',
    name: parseName(hostName) ?? 'broker',
    tenant: 'default',
    logLevel: logLevelOf(mosquittoLog.types),
    limits,
    listeners: buildListeners({ tree, defaults: defaults.listener, findings, folder, port }),
    bridges: buildBridges(tree.bridges, hostName, limits.receiveMaximum, findings),
    platform: null,
    commands: null,
    persistence: persistenceOf(tree, folder),
    mosquittoLog,
    ...(pidFile === null ? {} : { pidFile }),
    runAs: broker.text('user'),
    sysIntervalSeconds: broker.integer('sys_interval'),
  };
}

/** The journal lies where the database of Mosquitto would be, as a folder of its own. */
function persistenceOf({ broker, plugins, listeners }: ConfTree, folder: string): PersistenceConfig | null {
  const all = [...plugins, ...listeners.flatMap((listener) => listener.plugins)];
  const sqlite = all.find(({ kind }) => kind === 'persist_sqlite');
  if (!broker.flag('persistence') && sqlite === undefined) return null;
  const file = sqlite?.options.get('db_file') ?? fileOf(broker, folder);
  return { folder: `${file.replace(/\.(?:db|sqlite3?)$/, '')}.journal`, maximumBytes: 0 };
}

function fileOf(broker: ConfSection, folder: string): string {
  return resolve(broker.textOrNull('persistence_location') ?? folder, broker.text('persistence_file'));
}

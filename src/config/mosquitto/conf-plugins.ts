import { basename, resolve } from 'node:path';
import { suggestionFor } from '../suggestion.ts';
import type { ConfFindings } from './conf-findings.ts';
import type { ConfLine, ConfPlace } from './conf-file.ts';
import { quote } from './conf-value.ts';
import { findKeyword } from './keywords.ts';

/** Plugins of Mosquitto whose work is done here, with their options: `true` = counts, `false` = changes nothing here. */
const knownPlugins = {
  password_file: new Map([['password_file', true]]),
  acl_file: new Map([['acl_file', true]]),
  persist_sqlite: new Map([
    ['db_file', true],
    ['sync', false],
    ['flush_period', false],
    ['page_size', false],
  ]),
} as const satisfies Record<string, ReadonlyMap<string, boolean>>;

type PluginKind = keyof typeof knownPlugins;

/** A plugin that a file loads. `kind` is `null` for one that is refused. */
export interface ConfPlugin {
  readonly kind: PluginKind | null;
  /** Of `plugin_load`. */
  readonly name: string | null;
  readonly place: ConfPlace;
  /** Absolute paths. */
  readonly options: Map<string, string>;
}

/** A plugin by the name of its file; one that cannot be done here is a fault. */
export function loadPlugin(
  line: ConfLine,
  name: string | null,
  path: string,
  findings: ConfFindings,
): ConfPlugin {
  const [, known] = /^(?:lib)?mosquitto_(\w+)\.(?:so|dll|dylib)$/.exec(basename(path)) ?? [];
  const kind = known !== undefined && Object.hasOwn(knownPlugins, known) ? (known as PluginKind) : null;
  if (kind === null) {
    const advice = findKeyword(line.keyword)?.advice ?? '';
    findings.fault(line, `${line.keyword} ${quote(basename(path))}: ${advice}`);
  }
  return { kind, name, place: line, options: new Map() };
}

/** `plugin_opt_<name> <value>`, for the plugin before it. */
export function readPluginOption(
  line: ConfLine,
  plugin: ConfPlugin | null,
  folder: string,
  findings: ConfFindings,
): void {
  const name = line.keyword.replace(/^(plugin|auth)_opt_/, '');
  if (plugin === null) {
    findings.fault(
      line,
      `${line.keyword} needs a plugin before it; put it below plugin, global_plugin or plugin_load`,
    );
    return;
  }
  if (plugin.kind === null) return; // the plugin itself is the fault
  const options: ReadonlyMap<string, boolean> = knownPlugins[plugin.kind];
  const counts = options.get(name);
  if (counts === undefined) {
    const suggestion = suggestionFor(name, [...options.keys()]);
    const hint =
      suggestion === undefined
        ? `it has ${[...options.keys()].join(', ')}`
        : `did you mean plugin_opt_${suggestion}?`;
    findings.fault(line, `${line.keyword}: the plugin ${plugin.kind} has no such option; ${hint}`);
  } else if (line.rest === '') findings.fault(line, `${line.keyword} needs a value`);
  else if (counts) plugin.options.set(name, resolve(folder, line.rest));
}

/** The file that plugins of a kind name; two different ones, or one without its file, are faults. */
export function pluginFile(
  plugins: readonly ConfPlugin[],
  kind: 'password_file' | 'acl_file',
  findings: ConfFindings,
): string | null {
  let file: string | null = null;
  for (const plugin of plugins) {
    if (plugin.kind !== kind) continue;
    const named = plugin.options.get(kind);
    if (named === undefined)
      findings.fault(
        plugin.place,
        `the plugin ${kind} needs its file; add plugin_opt_${kind} <path> below it`,
      );
    else if (file !== null && file !== named)
      findings.fault(plugin.place, `a listener has one ${kind}, and this is another; put both into one file`);
    else file = named;
  }
  return file;
}

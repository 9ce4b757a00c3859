import { suggestionFor } from '../suggestion.ts';
import type { ConfFile, ConfLine, ConfPlace } from './conf-file.ts';
import { placeText, type ConfFindings } from './conf-findings.ts';
import { loadPlugin, readPluginOption, type ConfPlugin } from './conf-plugins.ts';
import { ConfSection } from './conf-section.ts';
import { integerOf, quote, readConfValue } from './conf-value.ts';
import type { ConfKeyword, ConfValue } from './keyword.ts';
import { findKeyword, keywordNames } from './keywords.ts';

/** A listener of the file. */
export interface ConfListener {
  /** Its keywords, those of users and access too. */
  readonly section: ConfSection;
  /** The one that is opened by `port`, `bind_address` or a keyword before the first `listener`. */
  readonly isDefault: boolean;
  /** 0 for a Unix socket. Of the default listener: see `port`. */
  readonly port: number;
  /** Empty: all. Of the default listener: see `bind_address`. */
  readonly address: string;
  readonly plugins: ConfPlugin[];
}

/** What a file says, each keyword at its place. */
export interface ConfTree {
  /** Keywords for the whole broker, those of users and access too. */
  readonly broker: ConfSection;
  readonly plugins: readonly ConfPlugin[];
  readonly listeners: readonly ConfListener[];
  readonly bridges: readonly ConfSection[];
  /** No line opens a listener. */
  readonly isLocalOnly: boolean;
  /** Each listener has users and access lists of its own. */
  readonly isPerListener: boolean;
}

/** Puts the lines of a file, and of those that it includes, to what they are about. Faults are findings. */
export function readConfTree(root: ConfFile, folder: string, findings: ConfFindings): ConfTree {
  const reader = new TreeReader({ file: root.file, line: 1 }, folder, findings);
  reader.readFile(root);
  return reader;
}

/** What `listener`, `connection` and `plugin` begin lasts to the end of their file. */
interface Current {
  listener: ConfListener | null;
  bridge: ConfSection | null;
  plugin: ConfPlugin | null;
}

class TreeReader implements ConfTree {
  readonly broker: ConfSection;
  readonly plugins: ConfPlugin[] = [];
  readonly listeners: ConfListener[] = [];
  readonly bridges: ConfSection[] = [];
  isLocalOnly = true;
  isPerListener = false;
  readonly #folder: string;
  readonly #findings: ConfFindings;
  readonly #namedPlugins = new Map<string, ConfPlugin>();
  #default: ConfListener | null = null;
  #hasSecurity = false;

  constructor(start: ConfPlace, folder: string, findings: ConfFindings) {
    this.broker = new ConfSection('', start);
    this.#folder = folder;
    this.#findings = findings;
  }

  readFile({ entries }: ConfFile): void {
    const current: Current = { listener: null, bridge: null, plugin: null };
    for (const entry of entries) {
      if ('entries' in entry) this.readFile(entry);
      else this.#readLine(entry, current);
    }
  }

  #readLine(line: ConfLine, current: Current): void {
    const keyword = findKeyword(line.keyword);
    if (keyword === undefined) this.#unknown(line);
    else if (keyword.isPrefix === true) readPluginOption(line, current.plugin, this.#folder, this.#findings);
    else {
      const value = this.#valueOf(keyword, line);
      if (keyword.name === 'listener') this.#openListener(line, current);
      else if (keyword.name === 'connection') this.#openBridge(line, current);
      else if (keyword.scope === 'plugin') this.#readPlugin(keyword, line, current);
      else {
        const section = this.#sectionOf(keyword, line, current);
        if (section !== null && value !== undefined) this.#store(section, keyword, line, value);
      }
    }
  }

  #unknown(line: ConfLine): void {
    if (line.keyword.startsWith('#')) {
      this.#findings.fault(
        line,
        'a comment begins with # as the first letter of the line; remove what stands before it',
      );
      return;
    }
    const suggestion = suggestionFor(line.keyword, keywordNames);
    const hint = suggestion === undefined ? '' : `; did you mean ${suggestion}?`;
    this.#findings.fault(line, `there is no keyword ${quote(line.keyword)}${hint}`);
  }

  #valueOf(keyword: ConfKeyword, line: ConfLine): ConfValue | undefined {
    const reading = readConfValue(keyword, line.keyword, line.rest, this.#folder);
    if ('fault' in reading) {
      this.#findings.fault(line, reading.fault);
      return undefined;
    }
    if (reading.notice !== undefined) this.#findings.warn(line, reading.notice);
    const { status, advice = '', harmless = [] } = keyword;
    if (status !== 'honoured' && !harmless.includes(reading.value)) {
      if (status === 'refused') this.#findings.fault(line, `${line.keyword}: ${advice}`);
      else this.#findings.warn(line, `${line.keyword}: ${advice}`);
    }
    return reading.value;
  }

  #openListener(line: ConfLine, current: Current): void {
    this.isLocalOnly = false;
    const [word = '', second = ''] = line.rest.split(/\s+/);
    const port = integerOf(word);
    const address = second.startsWith('#') ? '' : second;
    const fault = listenerFault(line.rest, port, address);
    if (fault !== null) this.#findings.fault(line, fault);
    const title = `listener ${port === 0 ? address : [word, address].filter(Boolean).join(' ')}`;
    const section = new ConfSection(title, line);
    current.listener = { section, isDefault: false, port: port ?? 0, address, plugins: [] };
    // One without a place is no place for more faults, but what follows it is still about it.
    if (fault === null && line.rest !== '') this.listeners.push(current.listener);
  }

  #openDefault(line: ConfLine): ConfListener {
    if (this.#default === null) {
      const section = new ConfSection('default listener', line);
      this.#default = { section, isDefault: true, port: 0, address: '', plugins: [] };
      this.listeners.push(this.#default);
    }
    return this.#default;
  }

  #openBridge(line: ConfLine, current: Current): void {
    const [name = ''] = line.rest.split(/\s/, 1);
    const isTaken = this.bridges.some(({ title }) => title === `bridge ${name}`);
    if (isTaken)
      this.#findings.fault(line, `connection ${name}: another bridge has this name; give it one of its own`);
    current.bridge = new ConfSection(`bridge ${name}`, line);
    current.bridge.add('connection', { file: line.file, line: line.line, value: name });
    if (!isTaken && name !== '') this.bridges.push(current.bridge);
  }

  /** Where a keyword counts; `null` = it has no place, which is a fault. */
  #sectionOf(keyword: ConfKeyword, line: ConfLine, current: Current): ConfSection | null {
    switch (keyword.scope) {
      case 'security':
        this.#hasSecurity = true;
        if (!this.isPerListener) return this.broker;
        if (current.listener !== null) return current.listener.section;
        this.#findings.fault(
          line,
          `${line.keyword}: with per_listener_settings true it needs a listener before it; put it below a listener line`,
        );
        return null;
      case 'listener':
        return this.#listenerOf(keyword, line, current);
      case 'bridge':
        if (current.bridge === null)
          this.#findings.fault(
            line,
            `${line.keyword} needs a bridge before it; put it below a connection line`,
          );
        return current.bridge;
      default:
        if (keyword.name === 'per_listener_settings') this.#divide(line);
        return this.broker;
    }
  }

  #listenerOf(keyword: ConfKeyword, line: ConfLine, current: Current): ConfSection | null {
    if (keyword.name === 'port' || keyword.name === 'bind_address') {
      this.isLocalOnly = false;
      current.listener = this.#openDefault(line);
    } else if (current.listener === null && keyword.opensDefault === true) {
      current.listener = this.#openDefault(line);
    }
    if (current.listener === null) {
      this.#findings.fault(line, `${line.keyword} needs a listener before it; put it below a listener line`);
      return null;
    }
    return current.listener.section;
  }

  /** `per_listener_settings`: what stands before it would count for other listeners than what stands behind it. */
  #divide(line: ConfLine): void {
    const [word] = line.rest.split(/\s/, 1);
    if (this.isPerListener || (word !== 'true' && word !== '1')) return;
    this.isPerListener = true;
    if (this.#hasSecurity)
      this.#findings.fault(
        line,
        'per_listener_settings must stand before users and access lists; move it to the top',
      );
  }

  #store(section: ConfSection, keyword: ConfKeyword, line: ConfLine, value: ConfValue): void {
    const before = section.all(keyword.name).at(-1);
    if (before !== undefined && keyword.isList !== true) {
      const { kind } = keyword.type;
      const first = placeText(before, line);
      if (kind === 'text' || kind === 'path' || kind === 'words') {
        if (keyword.mayRepeat !== true) {
          this.#findings.fault(line, `${line.keyword} is given already in ${first}; remove one of them`);
          return;
        }
      }
      if (before.value !== value && keyword.name !== 'per_listener_settings')
        this.#findings.warn(line, `${line.keyword} is given already in ${first}; this one counts`);
    }
    section.add(keyword.name, { file: line.file, line: line.line, value });
  }

  #readPlugin(keyword: ConfKeyword, line: ConfLine, current: Current): void {
    if (line.rest === '' || keyword.name === 'auth_plugin_deny_special_chars') return;
    if (keyword.name === 'plugin_use') {
      this.#usePlugin(line, current);
      return;
    }
    if (keyword.name === 'plugin_load') {
      const [name = ''] = line.rest.split(/\s/, 1);
      const path = line.rest.slice(name.length).trim();
      if (path === '') this.#findings.fault(line, 'plugin_load needs a name and a path');
      if (this.#namedPlugins.has(name))
        this.#findings.fault(
          line,
          `plugin_load ${name}: another plugin has this name; give it one of its own`,
        );
      if (path === '') return;
      current.plugin = loadPlugin(line, name, path, this.#findings);
      this.#namedPlugins.set(name, current.plugin);
      return;
    }
    const [path = ''] = line.rest.split(' ', 1);
    current.plugin = loadPlugin(line, null, path, this.#findings);
    this.#hasSecurity = true;
    if (keyword.name === 'global_plugin' || !this.isPerListener) this.plugins.push(current.plugin);
    else if (current.listener !== null) current.listener.plugins.push(current.plugin);
    else
      this.#findings.fault(
        line,
        `${line.keyword}: with per_listener_settings true it needs a listener before it; use global_plugin, or put it below a listener line`,
      );
  }

  #usePlugin(line: ConfLine, { listener }: Current): void {
    const plugin = this.#namedPlugins.get(line.rest);
    if (plugin === undefined)
      this.#findings.fault(
        line,
        `plugin_use ${quote(line.rest)}: no plugin of that name is loaded before; see plugin_load`,
      );
    else if (listener === null || listener.isDefault)
      this.#findings.fault(line, 'plugin_use needs a listener before it; put it below a listener line');
    else listener.plugins.push(plugin);
  }
}

/** Why this is no place to listen at; `null` = it is one. */
function listenerFault(rest: string, port: number | undefined, address: string): string | null {
  if (rest === '') return null; // told already
  if (port === undefined || port < 0 || port > 65_535)
    return `listener: the port must be a whole number from 0 to 65535, not ${quote(rest.split(/\s/, 1)[0] ?? '')}`;
  return port === 0 && address === ''
    ? 'listener 0 is a Unix socket and needs its path: listener 0 /path/of/socket'
    : null;
}

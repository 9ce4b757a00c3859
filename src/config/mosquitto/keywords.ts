import { DavylampError } from '#base';
import { bridgeTlsKeywords } from './keywords-bridge-tls.ts';
import { bridgeKeywords } from './keywords-bridge.ts';
import { brokerKeywords, logKeywords } from './keywords-broker.ts';
import { listenerKeywords, tlsKeywords } from './keywords-listener.ts';
import { pluginKeywords, securityKeywords } from './keywords-security.ts';
import type { ConfKeyword, ConfValue } from './keyword.ts';

/** A chapter of the keywords, as the reference page shows them. */
export interface KeywordGroup {
  readonly title: string;
  readonly keywords: readonly ConfKeyword[];
}

/** All keywords of mosquitto.conf(5), version 2.1: the one table behind the reader and the reference page. */
export const keywordGroups: readonly KeywordGroup[] = [
  { title: 'The broker', keywords: brokerKeywords },
  { title: 'The log', keywords: logKeywords },
  { title: 'Users and access', keywords: securityKeywords },
  { title: 'Plugins', keywords: pluginKeywords },
  { title: 'Listeners', keywords: listenerKeywords },
  { title: 'TLS at listeners', keywords: tlsKeywords },
  { title: 'Bridges', keywords: bridgeKeywords },
  { title: 'TLS on bridges', keywords: bridgeTlsKeywords },
];

const all = keywordGroups.flatMap(({ keywords }) => keywords);
const byName: ReadonlyMap<string, ConfKeyword> = new Map(
  all
    .filter((keyword) => keyword.isPrefix !== true)
    .flatMap((keyword) => [keyword.name, ...(keyword.aliases ?? [])].map((name) => [name, keyword] as const)),
);
const prefixes: readonly (readonly [string, ConfKeyword])[] = all
  .filter((keyword) => keyword.isPrefix === true)
  .flatMap((keyword) => [keyword.name, ...(keyword.aliases ?? [])].map((name) => [name, keyword] as const));

/** Every name that may stand at the beginning of a line. */
export const keywordNames: readonly string[] = [...byName.keys()];

/** The keyword of that name, by an older name or the beginning of it too. */
export function findKeyword(name: string): ConfKeyword | undefined {
  return byName.get(name) ?? prefixes.find(([prefix]) => name.startsWith(prefix))?.[1];
}

/** What holds where the file says nothing. */
export function keywordDefault(name: string): ConfValue | null {
  const keyword = byName.get(name);
  if (keyword === undefined) throw new DavylampError('BUG', `mosquitto.conf has no keyword ${name}`);
  return keyword.default;
}

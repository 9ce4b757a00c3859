import { DavylampError } from '#base';
import type { Authorizer, Identity } from '#broker';
import { ReasonCode } from '#mqtt';
import { TopicTree, covers, overlaps, topicFilterFault } from '#topics';

const accesses = ['read', 'write', 'readwrite', 'deny'] as const;
type Access = (typeof accesses)[number];

interface Rule {
  readonly access: Access;
  readonly filter: string;
}

/** A parsed access list. `users` has the rules of each name; `null` is the anonymous client. */
export interface AccessRules {
  readonly users: ReadonlyMap<string | null, readonly Rule[]>;
  readonly patterns: readonly Rule[];
}

/** Deeper than any broker of ours lets a topic be: the limit is checked where topics come in. */
const maximumLevels = 1000;
const maximumKnownNames = 10_000;

/**
 * Reads an access list in mosquitto's form: `user <name>`, `topic [read|write|readwrite|deny] <filter>`,
 * `pattern [read|write|readwrite|deny] <filter>`. Topics before the first `user` are the anonymous client's; patterns
 * are everybody's, with `%u` for the user name and `%c` for the client id. Throws `CREDENTIALS_INVALID` with
 * file and line.
 */
export function parseAccessRules(text: string, file: string): AccessRules {
  const users = new Map<string | null, Rule[]>();
  const patterns: Rule[] = [];
  let rules: Rule[] = [];
  users.set(null, rules);
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const [, keyword = '', rest = ''] = /^(\S+)\s*(.*)$/.exec(line) ?? [];
    if (keyword === 'user') {
      if (rest === '') throw fault(file, index, 'user needs a name behind it');
      rules = users.get(rest) ?? [];
      users.set(rest, rules);
    } else if (keyword === 'topic') rules.push(ruleOf(rest, false, file, index));
    else if (keyword === 'pattern') patterns.push(ruleOf(rest, true, file, index));
    else
      throw fault(
        file,
        index,
        `${JSON.stringify(keyword)} is not known here; known are user, topic and pattern`,
      );
  }
  return { users, patterns };
}

function ruleOf(text: string, isPattern: boolean, file: string, index: number): Rule {
  const [, word = '', rest = ''] = /^(\S+)(?:\s+(.*))?$/.exec(text) ?? [];
  const named = accesses.find((access) => access === word);
  if (rest !== '' && named === undefined) {
    throw fault(file, index, `${JSON.stringify(word)} is not an access; known are ${accesses.join(', ')}`);
  }
  const filter = rest === '' ? word : rest;
  // `%u` and `%c` stand for one level's text, so a pattern is judged with something ordinary in their place.
  const judged = isPattern ? filter.replaceAll(/%[uc]/g, 'x') : filter;
  if (judged.startsWith('$share/') || topicFilterFault(judged, maximumLevels) !== ReasonCode.Success) {
    throw fault(file, index, `${JSON.stringify(filter)} is not a topic filter`);
  }
  return { access: rest === '' ? 'readwrite' : (named ?? 'readwrite'), filter };
}

function fault(file: string, index: number, why: string): DavylampError {
  return new DavylampError('CREDENTIALS_INVALID', `${file}:${index + 1}: ${why}`);
}

/** Rules made ready to be asked: trees for topics, lists for filters. */
class Rights {
  readonly #write = new TopicTree<true>();
  readonly #read = new TopicTree<true>();
  readonly #deny = new TopicTree<true>();
  readonly reads: string[] = [];
  readonly denials: string[] = [];
  isClosed = false;

  add({ access, filter }: Rule): void {
    if (access === 'write' || access === 'readwrite') this.#write.add(filter, true);
    if (access === 'read' || access === 'readwrite') {
      this.#read.add(filter, true);
      this.reads.push(filter);
    }
    if (access === 'deny') {
      this.#deny.add(filter, true);
      this.denials.push(filter);
    }
  }

  /** Refuses everything from now on. */
  close(): void {
    this.isClosed = true;
  }

  denies(topic: string): boolean {
    return this.isClosed || (this.#deny.size > 0 && this.#deny.hasMatch(topic));
  }

  writes(topic: string): boolean {
    return this.#write.hasMatch(topic);
  }

  mayRead(topic: string): boolean {
    return this.#read.hasMatch(topic);
  }
}

/**
 * An access list as the broker asks it. What no rule allows is refused, and `deny` wins over every other rule.
 *
 * A name with `+`, `#` or `/` is never put into a pattern, where it would become a wildcard or another level: such a
 * client gets nothing from that pattern, and nothing at all where the pattern is a `deny`.
 */
export class AccessList implements Authorizer {
  #rules: AccessRules;
  #generation = 0;
  #patternsByClient: boolean;
  /** Rights that depend on the name alone. Bounded, as names may come from certificates. */
  readonly #byName = new Map<string | null, Rights>();
  /** Rights by `%c`: live as long as the connection's identity. */
  #byIdentity = new WeakMap<Identity, Rights>();

  constructor(rules: AccessRules) {
    this.#rules = rules;
    this.#patternsByClient = usesClientId(rules);
  }

  get generation(): number {
    return this.#generation;
  }

  /** Takes a changed list: what is subscribed and queued is judged again. */
  replace(rules: AccessRules): void {
    this.#rules = rules;
    this.#patternsByClient = usesClientId(rules);
    this.#byName.clear();
    this.#byIdentity = new WeakMap();
    this.#generation++;
  }

  mayPublish(identity: Identity, topic: string): boolean {
    const rights = this.#rightsOf(identity);
    return !rights.denies(topic) && rights.writes(topic);
  }

  mayRead(identity: Identity, topic: string): boolean {
    const rights = this.#rightsOf(identity);
    return !rights.denies(topic) && rights.mayRead(topic);
  }

  maySubscribe(identity: Identity, filter: string): 'all' | 'some' | 'none' {
    const { reads, denials, isClosed } = this.#rightsOf(identity);
    if (isClosed || denials.some((denied) => covers(denied, filter))) return 'none';
    if (
      !denials.some((denied) => overlaps(denied, filter)) &&
      reads.some((allowed) => covers(allowed, filter))
    )
      return 'all';
    return reads.some((allowed) => overlaps(allowed, filter)) ? 'some' : 'none';
  }

  #rightsOf(identity: Identity): Rights {
    const known = this.#patternsByClient ? this.#byIdentity.get(identity) : this.#byName.get(identity.name);
    return known ?? this.#compile(identity);
  }

  #compile(identity: Identity): Rights {
    const rights = new Rights();
    for (const rule of this.#rules.users.get(identity.name) ?? []) rights.add(rule);
    for (const pattern of this.#rules.patterns) {
      if (identity.name === null && pattern.filter.includes('%u')) continue; // about users with a name
      const filter = filledIn(pattern.filter, identity);
      if (filter !== null) rights.add({ access: pattern.access, filter });
      else if (pattern.access === 'deny') rights.close();
    }
    if (this.#patternsByClient) this.#byIdentity.set(identity, rights);
    else {
      if (this.#byName.size >= maximumKnownNames) this.#byName.clear();
      this.#byName.set(identity.name, rights);
    }
    return rights;
  }
}

function usesClientId(rules: AccessRules): boolean {
  return rules.patterns.some(({ filter }) => filter.includes('%c'));
}

/**
 * The pattern with its placeholders filled in; `null` when a name cannot stand in a filter (CVE-2017-7650), or would
 * lead into the broker's own topics (`$SYS`).
 */
function filledIn(pattern: string, identity: Identity): string | null {
  let isFit = true;
  const filter = pattern.replaceAll(/%[uc]/g, (placeholder) => {
    const value = placeholder === '%u' ? identity.name : identity.clientId;
    if (value === null || value === '' || /^\$|[+#/\0]/.test(value)) {
      isFit = false;
      return '';
    }
    return value;
  });
  return isFit ? filter : null;
}

/** Allows everything to whoever has signed in. */
export const allowAll: Authorizer = {
  generation: 0,
  mayPublish: () => true,
  mayRead: () => true,
  maySubscribe: () => 'all',
};

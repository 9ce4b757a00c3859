import { ReasonCode } from '#mqtt';
import { topicFilterFault, topicNameFault } from '#topics';
import type { BridgeConfig, BridgeTopicConfig } from '../config.ts';
import type { ConfFindings } from './conf-findings.ts';
import type { ConfSection, Given } from './conf-section.ts';
import { integerOf, quote } from './conf-value.ts';

const standardPort = 1883;
const topicLevels = 200;

/** The words of a value up to a comment. */
function wordsOf(value: string): string[] {
  const words = value.split(/\s+/).filter(Boolean);
  const comment = words.findIndex((word) => word.startsWith('#'));
  return comment < 0 ? words : words.slice(0, comment);
}

/** `address`: where the other broker is; several are places of the same one. */
export function bridgeAddresses(
  section: ConfSection,
  findings: ConfFindings,
): { host: string; port: number }[] {
  const given = section.all('address').at(-1);
  if (given === undefined) {
    findings.fault(section.place, `${section.title}: the other broker is missing; add address <host>[:port]`);
    return [];
  }
  return wordsOf(String(given.value)).map((word) => addressOf(word, given, section, findings));
}

/** The port stands behind the last colon; an IPv6 address may stand in brackets. */
function addressOf(
  word: string,
  given: Given,
  section: ConfSection,
  findings: ConfFindings,
): { host: string; port: number } {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]*)\]|(.*?))(?::([^:\]]*))?$/.exec(word) ?? [];
  const host = bracketed ?? plain ?? '';
  const port = digits === undefined ? standardPort : integerOf(digits);
  if (host !== '' && port !== undefined && port >= 1 && port <= 65_535) return { host, port };
  findings.fault(given, `${section.title}: ${quote(word)} is no address; write <host> or <host>:<port>`);
  return { host, port: standardPort };
}

/** The `topic` lines; the same one twice counts once, with the later QoS, as in Mosquitto. */
export function bridgeTopics(section: ConfSection, findings: ConfFindings): BridgeTopicConfig[] {
  const lines = section.all('topic');
  if (lines.length === 0)
    findings.fault(section.place, `${section.title}: it carries nothing; add topic <filter> [out|in|both]`);
  const topics = new Map<string, BridgeTopicConfig>();
  for (const line of lines) {
    const topic = topicOf(line, section, findings);
    if (topic === null) continue;
    const { filter, direction, localPrefix, remotePrefix } = topic;
    const key = [filter, direction, localPrefix, remotePrefix].join('\n');
    if (topics.has(key))
      findings.warn(line, `${section.title}: this topic is given twice; the last QoS counts`);
    topics.set(key, topic);
  }
  return [...topics.values()];
}

function topicOf(line: Given, section: ConfSection, findings: ConfFindings): BridgeTopicConfig | null {
  const fault = (message: string): null => {
    findings.fault(line, `${section.title}: topic: ${message}`);
    return null;
  };
  const value = String(line.value);
  const isQuoted = value.startsWith('"') && !/^""(?:\s|$)/.test(value);
  const [whole = '', pattern = ''] = (isQuoted ? /^"([^"]*)"(?=\s|$)/ : /^(\S*)/).exec(value) ?? [];
  if (whole === '') return fault(`the closing quote of ${quote(value)} is missing`);
  const filter = pattern === '""' ? '' : pattern;
  const words = value.slice(whole.length).split(/\s+/).filter(Boolean);
  const [direction = 'out', qosWord = '0', ...prefixes] = words;
  const way = direction.toLowerCase();
  if (way !== 'out' && way !== 'in' && way !== 'both')
    return fault(`the direction must be out, in or both, not ${quote(direction)}`);
  const isComment = qosWord.startsWith('#');
  const qos = isComment ? 0 : Number(qosWord);
  if (qos !== 0 && qos !== 1 && qos !== 2) return fault(`the QoS must be 0, 1 or 2, not ${quote(qosWord)}`);
  const comment = prefixes.findIndex((word) => word.startsWith('#'));
  const [local = '', remote = '', ...more] = isComment
    ? []
    : (comment < 0 ? prefixes : prefixes.slice(0, comment)).map((word) => (word === '""' ? '' : word));
  if (more.length > 0) return fault(`${quote(more.join(' '))} is too much; a line has two prefixes at most`);
  const topic = { filter, direction: way, qos, localPrefix: local, remotePrefix: remote } as const;
  return isCarried(topic, fault) ? topic : null;
}

/** Both prefixes are beginnings of topics, and filters with the filter behind them. */
function isCarried(
  { filter, localPrefix, remotePrefix }: BridgeTopicConfig,
  fault: (message: string) => null,
): boolean {
  if (filter === '' && (localPrefix === '' || remotePrefix === '')) {
    fault('"" carries one topic to another and needs both, such as: topic "" out 1 local/name remote/name');
    return false;
  }
  for (const [side, prefix] of [
    ['local', localPrefix],
    ['remote', remotePrefix],
  ] as const) {
    if (prefix !== '' && topicNameFault(prefix, topicLevels) !== ReasonCode.Success) {
      fault(`the ${side} prefix ${quote(prefix)} is not the beginning of a topic; it has no + and #`);
      return false;
    }
    const whole = `${prefix}${filter}`;
    if (topicFilterFault(whole, topicLevels) === ReasonCode.Success && !whole.startsWith('$share/')) continue;
    const what =
      prefix === '' ? quote(whole) : `the ${side} prefix and the filter make ${quote(whole)}, which`;
    fault(`${what} is not a topic filter`);
    return false;
  }
  return true;
}

/** `restart_timeout`: one number is a constant pause, two are its lower and upper bound. */
export function readRestartTimeout(
  section: ConfSection,
  findings: ConfFindings,
): Pick<BridgeConfig, 'retryMinimumMs' | 'retryMaximumMs'> {
  const given = section.all('restart_timeout').at(-1);
  if (given === undefined) return { retryMinimumMs: 5000, retryMaximumMs: 30_000 };
  const numbers = numbersOf(given, 'restart_timeout', section, findings);
  const [base = 5, cap = base, stable] = numbers;
  const minimum = within(base, 1, 3600, given, 'restart_timeout', findings);
  if (cap < base)
    findings.fault(given, `${section.title}: restart_timeout: the cap ${cap} is lower than the base ${base}`);
  const maximum =
    numbers.length > 1 ? within(cap, minimum, 7200, given, 'restart_timeout', findings) : minimum;
  if (stable !== undefined)
    findings.warn(
      given,
      'restart_timeout: the third number has no effect; the pause is short again after a link that held',
    );
  return { retryMinimumMs: minimum * 1000, retryMaximumMs: maximum * 1000 };
}

/** `bridge_tcp_keepalive`: the seconds until the first probe; what follows is the system's. */
export function readTcpKeepAlive(
  section: ConfSection,
  findings: ConfFindings,
): Pick<BridgeConfig, 'tcpKeepAliveSeconds'> {
  const given = section.all('bridge_tcp_keepalive').at(-1);
  if (given === undefined) return {};
  const [idle, interval, counter] = numbersOf(given, 'bridge_tcp_keepalive', section, findings);
  if (idle === undefined) return {};
  if (interval === undefined || counter === undefined || Math.min(idle, interval, counter) < 1)
    findings.fault(
      given,
      `${section.title}: bridge_tcp_keepalive needs three numbers above 0: idle, interval and counter`,
    );
  else
    findings.warn(
      given,
      `bridge_tcp_keepalive: interval and counter are those of the system; ${idle} seconds of silence are used`,
    );
  return { tcpKeepAliveSeconds: idle };
}

function numbersOf(given: Given, name: string, section: ConfSection, findings: ConfFindings): number[] {
  const words = wordsOf(String(given.value));
  const numbers = words.map(integerOf);
  const wrong = words.find((_, index) => numbers[index] === undefined);
  if (wrong === undefined) return numbers.filter((number) => number !== undefined);
  findings.fault(given, `${section.title}: ${name}: ${quote(wrong)} is not a whole number`);
  return [];
}

function within(
  value: number,
  minimum: number,
  maximum: number,
  given: Given,
  name: string,
  findings: ConfFindings,
): number {
  const used = Math.min(Math.max(value, minimum), maximum);
  if (used !== value)
    findings.warn(given, `${name} ${value} is not from ${minimum} to ${maximum}; ${used} is used`);
  return used;
}

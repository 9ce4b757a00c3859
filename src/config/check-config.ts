import { ReasonCode } from '#mqtt';
import { topicFilterFault } from '#topics';
import { parseAddress } from './build-bridge.ts';
import type { BridgeConfig, Config, ListenerConfig } from './config.ts';
import type { Fault } from './read-section.ts';
import type { Section } from './section.ts';

/** What does not fit together although each value is right, and what can be used but should be looked at. */
export interface Findings {
  readonly faults: Fault[];
  readonly warnings: Fault[];
}

/** Where findings about one table go. */
interface Desk {
  readonly section: Section;
  readonly findings: Findings;
}

/** The checks that need more than one key. */
export function checkConfig(config: Config, root: Section): Findings {
  const findings: Findings = { faults: [], warnings: [] };
  const listeners = root.all('listener');
  const bridges = root.all('bridge');
  checkUnique(listeners, findings);
  checkUnique(bridges, findings);
  checkUnique(root.all('alarm'), findings);
  for (const [i, listener] of config.listeners.entries())
    checkListener(listener, { section: listeners[i] as Section, findings });
  for (const [i, bridge] of config.bridges.entries())
    checkBridge(bridge, config, { section: bridges[i] as Section, findings });
  if (config.listeners.length === 0)
    fault({ section: root, findings }, '', 'nobody can connect: there is no [[listener]]; add one');
  checkPlatform(config, root, findings);
  checkCommands(config, root, findings);
  return findings;
}

function fault({ section, findings }: Desk, key: string, message: string): void {
  findings.faults.push(at(section, key, message));
}

function warn({ section, findings }: Desk, key: string, message: string): void {
  findings.warnings.push(at(section, key, message));
}

function at(section: Section, key: string, message: string): Fault {
  const subject = section.title === '' ? '' : `${section.title}: `;
  return { place: key === '' ? section.place : [...section.place, key], message: `${subject}${message}` };
}

function checkUnique(sections: readonly Section[], findings: Findings): void {
  const seen = new Set<string>();
  for (const section of sections) {
    const name = section.text('name');
    if (seen.has(name))
      fault({ section, findings }, 'name', 'another one has this name already; give it a name of its own');
    seen.add(name);
  }
}

function checkListener(listener: ListenerConfig, desk: Desk): void {
  if (listener.tls !== null) checkTlsListener(listener, desk);
  else {
    const withTls = listener.protocol === 'ws' ? 'wss' : 'tls';
    for (const key of [
      'ca_file',
      'certificate_file',
      'key_file',
      'require_certificate',
      'identity_from_certificate',
    ]) {
      if (desk.section.has(key))
        fault(desk, key, `${key} needs TLS; add protocol = "${withTls}" or remove the line`);
    }
  }
  if (listener.protocol === 'unix') {
    if (listener.path === '') fault(desk, 'protocol', 'a Unix socket needs a file; add path = "…"');
    for (const key of ['address', 'port'])
      if (desk.section.has(key)) fault(desk, key, `a Unix socket has no ${key}; remove the line`);
  } else if (desk.section.has('path'))
    fault(desk, 'path', 'path is only for protocol = "unix"; remove the line');
  checkWebSocket(listener, desk);
  checkCredentials(listener, desk);
}

function checkWebSocket({ webSocket }: ListenerConfig, desk: Desk): void {
  if (webSocket === null) {
    for (const key of ['websocket_path', 'allowed_origins'])
      if (desk.section.has(key))
        fault(desk, key, `${key} is only for protocol = "ws" and "wss"; remove the line`);
    return;
  }
  if (!/^\/[^\s?#]*$/.test(webSocket.path))
    fault(desk, 'websocket_path', 'a path begins with / and has no ?, # or space, such as "/mqtt"');
  for (const origin of webSocket.allowedOrigins) {
    if (origin === '*' || URL.parse(origin)?.origin === origin.toLowerCase()) continue;
    const what = `${JSON.stringify(origin)} is not an origin`;
    fault(desk, 'allowed_origins', `${what}; write scheme, host and port, such as "https://screen.example"`);
  }
}

function checkTlsListener(listener: ListenerConfig, desk: Desk): void {
  if (listener.tls?.certificateFile === null)
    fault(desk, 'protocol', 'TLS needs a certificate; add certificate_file = "…"');
  if (listener.tls?.keyFile === null)
    fault(desk, 'protocol', 'TLS needs the private key of the certificate; add key_file = "…"');
  if (listener.tls?.caFile !== null) return;
  if (listener.requireCertificate)
    fault(
      desk,
      'require_certificate',
      'client certificates need an authority to be judged by; add ca_file = "…"',
    );
  if (listener.identityFromCertificate)
    fault(
      desk,
      'identity_from_certificate',
      'client certificates need an authority to be judged by; add ca_file = "…"',
    );
}

function checkCredentials(listener: ListenerConfig, desk: Desk): void {
  const { requirePassword, allowAnonymous, requireCertificate, identityFromCertificate } = listener;
  const hasUsers = listener.passwordFile !== null || listener.scramFile !== null;
  if (requirePassword && !hasUsers)
    fault(desk, 'require_password', 'passwords need a file to be judged by; add password_file = "…"');
  if (requirePassword && allowAnonymous)
    fault(
      desk,
      'allow_anonymous',
      'require_password and allow_anonymous contradict each other; remove one of them',
    );
  if (!hasUsers && !allowAnonymous && !requireCertificate && !identityFromCertificate && !requirePassword) {
    fault(
      desk,
      '',
      'nobody could sign in: add password_file = "…" (or require_certificate = true; or allow_anonymous = true to let everybody in)',
    );
  }
  const isClear = listener.protocol === 'tcp' || listener.protocol === 'ws';
  if (!isClear || isLoopback(listener.address)) {
    if (listener.tls !== null && allowAnonymous && !requireCertificate && !isLoopback(listener.address)) {
      warn(desk, 'allow_anonymous', `everybody who reaches ${listener.address} is let in`);
    }
    return;
  }
  if (allowAnonymous) warn(desk, 'allow_anonymous', `everybody who reaches ${listener.address} is let in`);
  else if (listener.passwordFile !== null || listener.scramFile === null)
    warn(
      desk,
      'address',
      `passwords cross the network at ${listener.address} in the clear; keep it a closed one or use protocol = "${listener.protocol === 'ws' ? 'wss' : 'tls'}"`,
    );
}

function checkLink(bridge: BridgeConfig, desk: Desk): void {
  for (const text of desk.section.texts('more_addresses')) {
    if (parseAddress(text, 1) === null)
      fault(desk, 'more_addresses', `${JSON.stringify(text)} is not an address; write host or host:port`);
  }
  if (bridge.webSocketPath !== undefined && !/^\/[^\s?#]*$/.test(bridge.webSocketPath))
    fault(desk, 'websocket_path', 'a path begins with / and has no ?, # or space, such as "/mqtt"');
  if (bridge.startType !== 'lazy') {
    for (const key of ['lazy_threshold', 'lazy_idle'])
      if (desk.section.has(key)) fault(desk, key, `${key} is only for start = "lazy"; remove the line`);
  } else if (bridge.topics.some(({ direction }) => direction !== 'out'))
    warn(desk, 'start', 'a lazy bridge fetches nothing while it is not connected');
  if (bridge.notifications !== true) {
    for (const key of ['notifications_local_only', 'notification_topic'])
      if (desk.section.has(key)) fault(desk, key, `${key} needs notifications = true; add it`);
  }
  const topic = bridge.notificationTopic;
  if (topic !== undefined && /[+#]/.test(topic))
    fault(desk, 'notification_topic', 'a topic to publish on has no + and no #');
}

function checkBridge(bridge: BridgeConfig, config: Config, desk: Desk): void {
  const { section } = desk;
  if (bridge.tls === null) {
    for (const key of ['ca_file', 'certificate_file', 'key_file']) {
      if (section.has(key)) fault(desk, key, `${key} needs TLS; remove tls = false or this line`);
    }
    if (bridge.username !== null && !isLoopback(bridge.host))
      warn(
        desk,
        'host',
        `the password crosses the network to ${bridge.host} in the clear; add ca_file = "…"`,
      );
  } else if ((bridge.tls.certificateFile === null) !== (bridge.tls.keyFile === null)) {
    fault(
      desk,
      section.has('key_file') ? 'key_file' : 'certificate_file',
      'certificate_file and key_file belong together; add the other one',
    );
  }
  if (bridge.passwordFile !== null && bridge.username === null)
    fault(desk, 'password_file', 'a password needs a user name; add username = "…"');
  if (bridge.retryMinimumMs > bridge.retryMaximumMs)
    fault(desk, 'retry_minimum', 'retry_minimum is longer than retry_maximum; lower it');
  checkLink(bridge, desk);
  const topics = section.all('topic');
  if (topics.length === 0) fault(desk, '', 'carries nothing; add [[bridge.topic]] with a filter below it');
  for (const [i, topic] of bridge.topics.entries()) {
    const place: Desk = { section: topics[i] as Section, findings: desk.findings };
    checkJoined('local_prefix', topic.localPrefix, topic.filter, config, place);
    checkJoined('remote_prefix', topic.remotePrefix, topic.filter, config, place);
  }
}

/** `a` before `#` is no filter, `a/` is. */
function checkJoined(key: string, prefix: string, filter: string, config: Config, desk: Desk): void {
  const whole = `${prefix}${filter}`;
  const isFit = topicFilterFault(whole, config.limits.maximumTopicLevels) === ReasonCode.Success;
  if (isFit && !whole.startsWith('$share/')) return;
  const what = prefix === '' ? 'filter' : `${key} and filter together make ${JSON.stringify(whole)}, which`;
  const why = prefix === '' ? 'has more levels than broker.maximum_topic_levels' : 'is not a topic filter';
  fault(desk, desk.section.has(key) ? key : 'filter', `${what} ${why}`);
}

function checkPlatform(config: Config, root: Section, findings: Findings): void {
  const alarms = root.all('alarm');
  const { platform } = config;
  if (platform === null) {
    if (alarms[0] !== undefined)
      fault(
        { section: alarms[0], findings },
        '',
        'alarms are raised by the platform; add [platform] or remove them',
      );
    return;
  }
  const desk: Desk = { section: root.all('platform')[0] as Section, findings };
  if (!isLoopback(platform.api.address)) {
    fault(
      desk,
      'api_address',
      `the screen has no sign-in yet, so it is not shown to the network; use "127.0.0.1" instead of ${JSON.stringify(platform.api.address)}`,
    );
  }
  if (!config.listeners.some(({ protocol, path }) => protocol === 'unix' && path === platform.brokerSocket)) {
    warn(desk, 'broker_socket', 'no [[listener]] of this file opens this socket; something else must');
  }
  for (const [i, rule] of platform.alarmRules.entries()) {
    const section = alarms[i];
    if (section === undefined || rule.setPoint <= 0 || rule.deadband < rule.setPoint) continue;
    fault(
      { section, findings },
      'deadband',
      `deadband ${rule.deadband} reaches down to 0 from set_point ${rule.setPoint}: the alarm would never return; make it smaller`,
    );
  }
}

function checkCommands(config: Config, root: Section, findings: Findings): void {
  const { commands } = config;
  if (commands === null) return;
  const desk: Desk = { section: root.all('commands')[0] as Section, findings };
  if (commands.sleepMinimumSeconds > commands.sleepMaximumSeconds)
    fault(desk, 'sleep_minimum', 'sleep_minimum is longer than sleep_maximum; lower it');
  if (config.role !== 'site')
    warn(desk, 'accept', `commands are let in by a site; on a ${config.role} this does nothing`);
}

function isLoopback(address: string): boolean {
  return address === 'localhost' || address === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(address);
}

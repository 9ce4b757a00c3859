import { ReasonCode } from '#mqtt';
import { topicFilterFault } from '#topics';
import { parseAddress } from './build-bridge.ts';
import type { BridgeConfig, Config, TlsFilesConfig } from './config.ts';
import { checkTlsChoice } from './check-tls.ts';
import { fault, faultIfGiven, isLoopback, warn, type Desk } from './findings.ts';
import { bridgeTlsKeys } from './schema-tls.ts';
import type { Section } from './section.ts';

/** What does not fit together at one bridge although each value is right. */
export function checkBridge(bridge: BridgeConfig, config: Config, desk: Desk): void {
  const { section } = desk;
  if (bridge.tls === null) checkWithoutTls(bridge, desk);
  else checkTls(bridge.tls, desk);
  if (bridge.passwordFile !== null && bridge.username === null)
    fault(desk, 'password_file', 'a password needs a user name; add username = "…"');
  if (bridge.tryPrivate === true && bridge.protocolVersion === 5)
    fault(desk, 'try_private', 'MQTT 5 has no-local for that; remove the line, or use protocol_version = 4');
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

function checkWithoutTls({ username, host }: BridgeConfig, desk: Desk): void {
  const keys = ['ca_file', 'certificate_file', 'key_file', ...bridgeTlsKeys.map(({ key }) => key)];
  const advice = desk.section.has('tls') ? 'remove tls = false or this line' : 'add tls = true';
  faultIfGiven(desk, keys, (key) => `${key} needs TLS; ${advice}`);
  if (username !== null && !isLoopback(host))
    warn(desk, 'host', `the password crosses the network to ${host} in the clear; add ca_file = "…"`);
}

function checkTls(tls: TlsFilesConfig, desk: Desk): void {
  const { section } = desk;
  checkTlsChoice(tls, desk);
  if ((tls.certificateFile === null) !== (tls.keyFile === null))
    fault(
      desk,
      section.has('key_file') ? 'key_file' : 'certificate_file',
      'certificate_file and key_file belong together; add the other one',
    );
  if (section.has('psk_file') !== section.has('psk_identity'))
    fault(
      desk,
      section.has('psk_file') ? 'psk_file' : 'psk_identity',
      'psk_file and psk_identity belong together; add the other one',
    );
  if (tls.psk !== undefined)
    faultIfGiven(
      desk,
      ['ca_file', 'ca_folder', 'certificate_file', 'key_file', 'trust_system', 'insecure'],
      (key) => `${key} is for certificates, and psk_file needs none; remove one of them`,
    );
  else if (tls.trustsSystem === false && tls.caFile === null && tls.caFolder === undefined)
    fault(desk, 'trust_system', 'no server would be trusted; add ca_file = "…", or remove the line');
  if (tls.isInsecure === true)
    warn(desk, 'insecure', 'insecure = true: it does not check whom it speaks to; for tests only');
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

/** `a` before `#` is no filter, `a/` is. */
function checkJoined(key: string, prefix: string, filter: string, config: Config, desk: Desk): void {
  const whole = `${prefix}${filter}`;
  const isFit = topicFilterFault(whole, config.limits.maximumTopicLevels) === ReasonCode.Success;
  if (isFit && !whole.startsWith('$share/')) return;
  const what = prefix === '' ? 'filter' : `${key} and filter together make ${JSON.stringify(whole)}, which`;
  const why = prefix === '' ? 'has more levels than broker.maximum_topic_levels' : 'is not a topic filter';
  fault(desk, desk.section.has(key) ? key : 'filter', `${what} ${why}`);
}

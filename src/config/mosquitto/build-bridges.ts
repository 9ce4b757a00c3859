import type { BridgeConfig, TlsFilesConfig } from '../config.ts';
import { tlsVersionOf } from './build-listeners.ts';
import { bridgeAddresses, bridgeTopics, readRestartTimeout, readTcpKeepAlive } from './bridge-words.ts';
import type { ConfFindings } from './conf-findings.ts';
import type { ConfSection } from './conf-section.ts';

/** How long the other broker keeps what waits, where MQTT 5 must say it: a week. */
const sessionExpirySeconds = 604_800;

/** The bridges of a file. */
export function buildBridges(
  bridges: readonly ConfSection[],
  hostName: string,
  receiveMaximum: number,
  findings: ConfFindings,
): BridgeConfig[] {
  const configs = bridges.map((bridge) => bridgeOf(bridge, hostName, receiveMaximum, findings));
  for (const [index, { localClientId, name }] of configs.entries()) {
    const first = configs.slice(0, index).find((other) => other.localClientId === localClientId);
    const section = bridges[index];
    if (first === undefined || section === undefined || first.name === name) continue;
    findings.fault(
      section.place,
      `bridge ${name}: bridge ${first.name} has the same local client id ${localClientId}; give each its own by local_clientid`,
    );
  }
  return configs;
}

function bridgeOf(
  section: ConfSection,
  hostName: string,
  receiveMaximum: number,
  findings: ConfFindings,
): BridgeConfig {
  const name = section.text('connection');
  const [first = { host: '', port: 1883 }, ...moreAddresses] = bridgeAddresses(section, findings);
  const version = section.text('bridge_protocol_version');
  if (version === 'mqttv31')
    findings.warn(
      section.placeOf('bridge_protocol_version'),
      'bridge_protocol_version mqttv31: MQTT 3.1.1 is spoken',
    );
  const tls = bridgeTls(section, findings);
  if (tls !== null && first.port === 1883)
    findings.warn(
      section.placeOf('address'),
      `${section.title}: TLS is spoken on port 1883, as none is given; most brokers have it on 8883: address ${first.host}:8883`,
    );
  const protocolVersion = version === 'mqttv50' ? 5 : 4;
  const cleanStart = section.flag('cleansession');
  const clientId = section.textOrNull('remote_clientid') ?? `${hostName}.${name}`;
  checkBridge(section, findings);
  return {
    name,
    ...first,
    ...(moreAddresses.length === 0 ? {} : { moreAddresses }),
    tls,
    protocolVersion,
    clientId,
    username: section.textOrNull('remote_username'),
    passwordFile: null,
    ...textAs(section, 'remote_password', 'password'),
    keepAliveSeconds: section.integer('keepalive_interval'),
    cleanStart,
    sessionExpirySeconds:
      section.integerOrNull('bridge_session_expiry_interval') ?? (cleanStart ? 0 : sessionExpirySeconds),
    ...readRestartTimeout(section, findings),
    topics: bridgeTopics(section, findings),
    ...startOf(section, findings),
    ...notificationsOf(section),
    tryPrivate: section.flag('try_private') && protocolVersion === 4,
    localClientId: section.textOrNull('local_clientid') ?? `local.${clientId}`,
    ...textAs(section, 'local_username', 'localUsername'),
    ...textAs(section, 'local_password', 'localPassword'),
    localCleanStart: section.flagOrNull('local_cleansession') ?? cleanStart,
    attemptUnsubscribe: section.flag('bridge_attempt_unsubscribe'),
    outgoingRetain: section.flag('bridge_outgoing_retain'),
    ...(section.integer('bridge_max_packet_size') > 0
      ? { maximumPacketSize: section.integer('bridge_max_packet_size') }
      : {}),
    topicAliasMaximum: section.integer('bridge_max_topic_alias'),
    receiveMaximum: section.integerOrNull('bridge_receive_maximum') ?? receiveMaximum,
    ...readTcpKeepAlive(section, findings),
    ...textAs(section, 'bridge_bind_address', 'localAddress'),
    reloadType: section.text('bridge_reload_type') === 'immediate' ? 'immediate' : 'lazy',
  };
}

/** The field, when the keyword stands in the file. */
function textAs<K extends keyof BridgeConfig>(
  section: ConfSection,
  keyword: string,
  field: K,
): { readonly [P in K]?: string } {
  const value = section.textOrNull(keyword);
  return value === null ? {} : ({ [field]: value } as { readonly [P in K]?: string });
}

function startOf(
  section: ConfSection,
  findings: ConfFindings,
): Pick<BridgeConfig, 'roundRobin' | 'startType' | 'lazyThreshold' | 'lazyIdleMs'> {
  const roundRobin = section.flag('round_robin');
  const startType = section.text('start_type');
  if (startType === 'manual')
    findings.fault(
      section.placeOf('start_type'),
      'start_type manual: nobody could start it; use automatic, lazy or once',
    );
  if (startType !== 'lazy') return { roundRobin, startType: startType === 'once' ? 'once' : 'automatic' };
  return {
    roundRobin,
    startType,
    lazyThreshold: section.integer('threshold'),
    lazyIdleMs: section.integer('idle_timeout') * 1000,
  };
}

function notificationsOf(
  section: ConfSection,
): Pick<BridgeConfig, 'notifications' | 'notificationsLocalOnly' | 'notificationTopic'> {
  const topic = section.textOrNull('notification_topic');
  return {
    notifications: section.flag('notifications'),
    notificationsLocalOnly: section.flag('notifications_local_only'),
    ...(topic === null ? {} : { notificationTopic: topic }),
  };
}

function bridgeTls(section: ConfSection, findings: ConfFindings): TlsFilesConfig | null {
  const isPsk = section.has('bridge_identity') || section.has('bridge_psk');
  const trustsSystem = section.flag('bridge_tls_use_os_certs');
  const hasAuthority = section.has('bridge_cafile') || section.has('bridge_capath') || trustsSystem;
  if (!isPsk && !hasAuthority) return null;
  const alpn = section.textOrNull('bridge_alpn');
  const caFolder = section.textOrNull('bridge_capath');
  const ciphers = section.textOrNull('bridge_ciphers');
  const ciphersTls13 = section.textOrNull('bridge_ciphers_tls1.3');
  const isInsecure = section.flag('bridge_insecure');
  if (isInsecure)
    findings.warn(
      section.placeOf('bridge_insecure'),
      `bridge_insecure true: ${section.title} does not check whom it speaks to; for tests only`,
    );
  return {
    caFile: section.textOrNull('bridge_cafile'),
    certificateFile: section.textOrNull('bridge_certfile'),
    keyFile: section.textOrNull('bridge_keyfile'),
    ...(caFolder === null ? {} : { caFolder }),
    ...(ciphers === null ? {} : { ciphers }),
    ...(ciphersTls13 === null ? {} : { ciphersTls13 }),
    minimumVersion: tlsVersionOf(section.text('bridge_tls_version')),
    ...(alpn === null ? {} : { alpn: [alpn] }),
    ...(isInsecure ? { isInsecure } : {}),
    trustsSystem,
    ...(isPsk ? { psk: pskOf(section, findings) } : {}),
  };
}

function pskOf(section: ConfSection, findings: ConfFindings): { identity: string; keyHex: string } {
  const identity = section.textOrNull('bridge_identity') ?? '';
  const keyHex = section.textOrNull('bridge_psk') ?? '';
  for (const [given, missing] of [
    ['bridge_identity', 'bridge_psk'],
    ['bridge_psk', 'bridge_identity'],
  ] as const)
    if (!section.has(missing))
      findings.fault(section.placeOf(given), `${section.title}: ${given} needs ${missing} too; add it`);
  if (keyHex !== '' && !/^(?:[0-9a-f]{2})+$/i.test(keyHex))
    findings.fault(
      section.placeOf('bridge_psk'),
      `${section.title}: bridge_psk must be hexadecimal, two digits for each byte`,
    );
  return { identity, keyHex };
}

/** What does not fit together although each value is right. */
function checkBridge(section: ConfSection, findings: ConfFindings): void {
  const fault = (name: string, message: string): void =>
    findings.fault(section.placeOf(name), `${section.title}: ${message}`);
  const isPsk = section.has('bridge_identity') || section.has('bridge_psk');
  const files = ['bridge_cafile', 'bridge_capath', 'bridge_certfile', 'bridge_keyfile'];
  const file = files.find((name) => section.has(name));
  const hasAuthority =
    section.has('bridge_cafile') || section.has('bridge_capath') || section.flag('bridge_tls_use_os_certs');
  if (isPsk && (file !== undefined || hasAuthority))
    fault(
      file ?? 'bridge_tls_use_os_certs',
      'a bridge has either certificates or a pre-shared key; remove one of them',
    );
  else if (!isPsk && !hasAuthority) {
    const tlsNames = [
      ...files,
      'bridge_alpn',
      'bridge_ciphers',
      'bridge_ciphers_tls1.3',
      'bridge_tls_version',
    ];
    for (const name of [...tlsNames, 'bridge_insecure'])
      if (section.has(name))
        fault(name, `${name} needs TLS; add bridge_cafile, bridge_capath or bridge_tls_use_os_certs true`);
  }
  const hasCertificate = section.has('bridge_certfile');
  if (hasCertificate !== section.has('bridge_keyfile')) {
    const [given, missing] = hasCertificate
      ? ['bridge_certfile', 'bridge_keyfile']
      : ['bridge_keyfile', 'bridge_certfile'];
    fault(given, `${given} needs ${missing} too; add it`);
  }
  for (const side of ['remote', 'local'])
    if (section.has(`${side}_password`) && !section.has(`${side}_username`))
      fault(`${side}_password`, `a password needs a user name; add ${side}_username`);
}

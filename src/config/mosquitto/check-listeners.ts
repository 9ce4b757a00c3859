import { ReasonCode } from '#mqtt';
import { topicNameFault } from '#topics';
import type { ListenerConfig } from '../config.ts';
import { placeText, type ConfFindings } from './conf-findings.ts';
import type { ConfSection } from './conf-section.ts';
import type { ConfListener } from './conf-tree.ts';
import { quote } from './conf-value.ts';

/** Levels that a mount point may have. */
const topicLevels = 200;

/** What does not fit together at one listener although each value is right. */
export function checkListener(
  { section }: ConfListener,
  config: ListenerConfig,
  findings: ConfFindings,
): void {
  checkProtocol(section, config, findings);
  checkTls(section, config, findings);
  checkCertificates(section, config, findings);
  checkProxy(section, config, findings);
  checkSignIn(section, config, findings);
  const { mountPoint } = config;
  if (mountPoint !== undefined && topicNameFault(mountPoint, topicLevels) !== ReasonCode.Success)
    findings.fault(
      section.placeOf('mount_point'),
      `mount_point ${quote(mountPoint)} is not the beginning of a topic; it has no + and #`,
    );
}

function checkProtocol(section: ConfSection, config: ListenerConfig, findings: ConfFindings): void {
  const protocol = section.text('protocol');
  const place = section.placeOf('protocol');
  if (protocol === 'http_api')
    findings.fault(
      place,
      'protocol http_api: the state of the broker is not told to everybody who asks; read $SYS, and remove this listener',
    );
  if (config.protocol === 'unix') {
    if (protocol === 'websockets')
      findings.fault(place, 'a Unix socket does not speak WebSocket; use protocol mqtt, or listen on a port');
    if (config.tls !== null)
      findings.fault(section.place, 'a Unix socket does not speak TLS; remove its TLS keywords');
    for (const name of ['bind_interface', 'socket_domain'])
      if (section.has(name)) findings.warn(section.placeOf(name), `${name} has no effect on a Unix socket`);
  }
  if (protocol !== 'websockets')
    for (const name of ['websockets_origin', 'http_dir'])
      if (section.has(name))
        findings.warn(section.placeOf(name), `${name} has no effect without protocol websockets`);
}

function checkTls(section: ConfSection, config: ListenerConfig, findings: ConfFindings): void {
  const { tls, pskHint } = config;
  const isPsk = section.has('psk_hint');
  if (section.has('certfile') !== section.has('keyfile')) {
    const [given, missing] = section.has('certfile') ? ['certfile', 'keyfile'] : ['keyfile', 'certfile'];
    findings.fault(section.placeOf(given), `${given} needs ${missing} too; add it`);
  }
  if (isPsk && (section.has('certfile') || section.has('keyfile') || section.has('cafile')))
    findings.fault(
      section.placeOf('psk_hint'),
      'a listener has either certificates or pre-shared keys; remove psk_hint, or cafile, certfile and keyfile',
    );
  else if (isPsk && config.pskFile === undefined)
    findings.fault(
      section.placeOf('psk_hint'),
      `psk_hint ${quote(pskHint ?? '')}: the keys are missing; add psk_file <path>`,
    );
  if (tls !== null && !isPsk) return;
  for (const name of ['cafile', 'capath'])
    if (section.has(name) && !isPsk)
      findings.fault(section.placeOf(name), `${name} needs TLS; add certfile and keyfile`);
  const unused = isPsk
    ? ['capath', 'crlfile', 'disable_client_cert_date_checks']
    : [
        'ciphers',
        'ciphers_tls1.3',
        'crlfile',
        'dhparamfile',
        'disable_client_cert_date_checks',
        'tls_version',
      ];
  for (const name of unused)
    if (section.has(name))
      findings.warn(section.placeOf(name), `${name} has no effect without certfile and keyfile`);
}

/** Fails closed: whoever asks for certificates must get them. */
function checkCertificates(section: ConfSection, config: ListenerConfig, findings: ConfFindings): void {
  const isByProxy = config.proxyProtocol === 2;
  const hasCertificates = (config.tls !== null && !section.has('psk_hint')) || isByProxy;
  const hasAuthority = section.has('cafile') || section.has('capath') || isByProxy;
  for (const name of ['require_certificate', 'use_identity_as_username', 'use_subject_as_username']) {
    if (!section.flag(name)) continue;
    const place = section.placeOf(name);
    if (name === 'use_identity_as_username' && section.has('psk_hint')) continue;
    if (!hasCertificates)
      findings.fault(place, `${name} needs TLS; add certfile, keyfile and cafile, or remove the line`);
    else if (!hasAuthority)
      findings.fault(place, `${name}: certificates need an authority to be judged by; add cafile or capath`);
  }
}

function checkProxy(section: ConfSection, config: ListenerConfig, findings: ConfFindings): void {
  if (config.proxyRequiresTls === true && config.proxyProtocol !== 2)
    findings.fault(
      section.placeOf('proxy_protocol_v2_require_tls'),
      'proxy_protocol_v2_require_tls needs enable_proxy_protocol 2',
    );
  if (config.proxyProtocol !== 2) return;
  if (config.tls !== null)
    findings.fault(
      section.placeOf('enable_proxy_protocol'),
      'enable_proxy_protocol 2: TLS ends at the proxy; remove certfile, keyfile and psk_hint',
    );
  if (section.flag('use_subject_as_username'))
    findings.fault(
      section.placeOf('use_subject_as_username'),
      'use_subject_as_username: the proxy tells the common name only; use use_identity_as_username',
    );
}

function checkSignIn(section: ConfSection, config: ListenerConfig, findings: ConfFindings): void {
  const { allowAnonymous, requireCertificate, requirePassword, passwordFile } = config;
  if (allowAnonymous && config.protocol !== 'unix' && !isLoopback(config.address)) {
    const who = requireCertificate ? 'everybody with a certificate' : 'everybody who reaches it';
    findings.warn(section.place, `${section.title}: ${who} is let in, as allow_anonymous is true`);
  }
  if (!requirePassword || passwordFile !== null) return;
  const how = requireCertificate
    ? 'use_identity_as_username true to take the name of the certificate'
    : 'password_file <path>';
  findings.warn(
    section.place,
    `${section.title}: nobody can sign in; add ${how}, or allow_anonymous true to let everybody in`,
  );
}

/** Two listeners at one place: the second could not be opened. */
export function checkPorts(
  listeners: readonly ConfListener[],
  configs: readonly ListenerConfig[],
  findings: ConfFindings,
): void {
  for (const [index, config] of configs.entries()) {
    const first = configs.slice(0, index).findIndex((other) => collide(config, other));
    const place = listeners[index]?.section.place;
    const firstPlace = listeners[first]?.section.place;
    if (place === undefined || firstPlace === undefined) continue;
    const where = config.protocol === 'unix' ? config.path : `port ${config.port}`;
    findings.fault(
      place,
      `another listener is on ${where} already (${placeText(firstPlace, place)}); choose another, or remove one`,
    );
  }
}

function collide(a: ListenerConfig, b: ListenerConfig): boolean {
  if (a.protocol === 'unix' || b.protocol === 'unix') return a.protocol === b.protocol && a.path === b.path;
  if (a.port !== b.port || a.networkInterface !== b.networkInterface) return false;
  return a.address === b.address || includes(a, b.address) || includes(b, a.address);
}

/** A listener on all addresses of IPv4, of IPv6 or of both takes the other's too. */
function includes({ address, ipVersion }: ListenerConfig, other: string): boolean {
  if (address === '' || (address === '::' && ipVersion !== 6)) return true;
  if (address === '::') return other === '' || other.includes(':');
  return address === '0.0.0.0' && !other.includes(':');
}

function isLoopback(address: string): boolean {
  return address === 'localhost' || address === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(address);
}

import { resolve } from 'node:path';
import type { ListenerConfig, TlsFilesConfig, TlsVersion } from '../config.ts';
import { listenerLimits } from './build-limits.ts';
import { checkListener, checkPorts } from './check-listeners.ts';
import type { ConfFindings } from './conf-findings.ts';
import { pluginFile } from './conf-plugins.ts';
import type { ConfSection } from './conf-section.ts';
import type { ConfListener, ConfTree } from './conf-tree.ts';

export interface ListenerBuild {
  readonly tree: ConfTree;
  /** What mosquitto.conf cannot say. */
  readonly defaults: ListenerConfig;
  readonly findings: ConfFindings;
  /** The working directory. */
  readonly folder: string;
  /** Of the command line; counts where the file opens no listener. */
  readonly port: number | undefined;
}

/** What a listener asks of its clients, wherever the file says it. */
interface Rules {
  readonly passwordFile: string | null;
  readonly accessFile: string | null;
  readonly pskFile: string | null;
  readonly allowAnonymous: boolean;
}

const standardPort = 1883;

/** The listeners of a file; without any, this machine alone may connect. */
export function buildListeners(build: ListenerBuild): ListenerConfig[] {
  const { tree, findings } = build;
  if (tree.isLocalOnly) return localListeners(build);
  for (const { section, isDefault } of tree.listeners) {
    if (isDefault && !section.has('port') && !section.has('bind_address'))
      findings.warn(
        section.place,
        `this keyword stands before the first listener and so opens the default listener on port ${standardPort}; put it below a listener line`,
      );
  }
  const listeners = tree.listeners.map((listener) => listenerOf(listener, build));
  checkPorts(tree.listeners, listeners, findings);
  return listeners;
}

/** As Mosquitto 2: 127.0.0.1 and ::1, and no name is asked for unless the file says so. */
function localListeners(build: ListenerBuild): ListenerConfig[] {
  const [listener] = build.tree.listeners;
  const { port = standardPort } = build;
  const base = listener === undefined ? withRules(build, rulesOf(null, build)) : listenerOf(listener, build);
  return [
    { ...base, name: `127.0.0.1:${port}`, address: '127.0.0.1', port },
    { ...base, name: `[::1]:${port}`, address: '::1', port, isOptional: true },
  ];
}

/** A listener of which the file says nothing. */
function withRules({ defaults }: ListenerBuild, rules: Rules): ListenerConfig {
  const { passwordFile, accessFile, allowAnonymous } = rules;
  return { ...defaults, passwordFile, accessFile, allowAnonymous, requirePassword: !allowAnonymous };
}

function listenerOf(listener: ConfListener, build: ListenerBuild): ListenerConfig {
  const { section } = listener;
  const rules = rulesOf(listener, build);
  const place = placeOf(listener, build);
  const isWebSocket = section.text('protocol') === 'websockets';
  const hasTls = section.has('certfile') || section.has('keyfile') || section.has('psk_hint');
  const limits = listenerLimits(listener, build.findings);
  const connections = section.integer('max_connections');
  const origins = section.all('websockets_origin').map(({ value }) => String(value));
  const config: ListenerConfig = {
    ...withRules(build, rules),
    ...place,
    protocol: protocolOf(place.path !== '', isWebSocket, hasTls),
    webSocket: isWebSocket ? { path: '*', allowedOrigins: origins.length === 0 ? ['*'] : origins } : null,
    tls: hasTls ? tlsOf(section) : null,
    ...identityOf(section, rules, hasTls),
    ...(Object.keys(limits).length === 0 ? {} : { limits }),
    ...(connections < 0 ? {} : { maximumConnections: connections }),
    ...optionsOf(section, place.path !== '', isWebSocket),
  };
  checkListener(listener, config, build.findings);
  return config;
}

function placeOf(
  { section, isDefault, ...given }: ConfListener,
  { tree, folder, findings }: ListenerBuild,
): { name: string; address: string; port: number; path: string } & Pick<ListenerConfig, 'ipVersion'> {
  const port = isDefault ? section.integer('port') : given.port;
  if (port === 0) {
    const path = resolve(folder, given.address);
    return { name: path, address: '', port, path };
  }
  const everywhere = tree.isLocalOnly ? '127.0.0.1' : '';
  const host = isDefault ? (section.textOrNull('bind_address') ?? everywhere) : given.address;
  const domain = section.textOrNull('socket_domain');
  const name = host === '' ? String(port) : host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  if (domain === null) return { name, address: host, port, path: '' };
  const ipVersion = domain === 'ipv4' ? 4 : 6;
  if ((ipVersion === 4 && host.includes(':')) || (ipVersion === 6 && /^[\d.]+$/.test(host)))
    findings.fault(
      section.placeOf('socket_domain'),
      `socket_domain ${domain} contradicts the address ${host}`,
    );
  const all = ipVersion === 4 ? '0.0.0.0' : '::';
  return { name: `${name} ${domain}`, address: host === '' ? all : host, port, path: '', ipVersion };
}

function protocolOf(isUnix: boolean, isWebSocket: boolean, hasTls: boolean): ListenerConfig['protocol'] {
  if (isUnix) return 'unix';
  if (isWebSocket) return hasTls ? 'wss' : 'ws';
  return hasTls ? 'tls' : 'tcp';
}

/** Users and access: of the listener itself, or of the whole broker. */
function rulesOf(listener: ConfListener | null, { tree, findings }: ListenerBuild): Rules {
  const section = tree.isPerListener && listener !== null ? listener.section : tree.broker;
  const plugins = [...tree.plugins, ...(listener?.plugins ?? [])];
  const anonymous = listener?.section.flagOrNull('listener_allow_anonymous') ?? null;
  return {
    passwordFile: oneFile(section, 'password_file', pluginFile(plugins, 'password_file', findings), findings),
    accessFile: oneFile(section, 'acl_file', pluginFile(plugins, 'acl_file', findings), findings),
    pskFile: section.textOrNull('psk_file'),
    allowAnonymous: anonymous ?? section.flagOrNull('allow_anonymous') ?? tree.isLocalOnly,
  };
}

function oneFile(
  section: ConfSection,
  name: string,
  ofPlugin: string | null,
  findings: ConfFindings,
): string | null {
  const file = section.textOrNull(name);
  if (file !== null && ofPlugin !== null && file !== ofPlugin)
    findings.fault(section.placeOf(name), `${name}: a plugin names another one; put both into one file`);
  return file ?? ofPlugin;
}

/** Who is taken by certificate or PSK identity is not asked for a password, and nobody comes in without one of them. */
function identityOf(
  section: ConfSection,
  { passwordFile, pskFile, allowAnonymous }: Rules,
  hasTls: boolean,
): Partial<ListenerConfig> & Pick<ListenerConfig, 'requireCertificate' | 'identityFromCertificate'> {
  const hasPsk = hasTls && section.has('psk_hint');
  const hasCertificates = (hasTls && !hasPsk) || section.integerOrNull('enable_proxy_protocol') === 2;
  const byName = section.flag('use_identity_as_username');
  const isIdentity = hasCertificates && (byName || section.flag('use_subject_as_username'));
  const hint = section.textOrNull('psk_hint');
  const isKnown = isIdentity || (hasPsk && byName);
  return {
    requireCertificate: hasCertificates && section.flag('require_certificate'),
    identityFromCertificate: isIdentity,
    ...(isIdentity ? { certificateIdentity: byName ? 'common-name' : 'subject' } : {}),
    ...(hasPsk && pskFile !== null ? { pskFile } : {}),
    ...(hasPsk && hint !== null ? { pskHint: hint, identityFromPsk: byName } : {}),
    passwordFile: isKnown ? null : passwordFile,
    allowAnonymous: allowAnonymous && !isKnown,
    requirePassword: !allowAnonymous && !isKnown,
  };
}

function tlsOf(section: ConfSection): TlsFilesConfig {
  const isPsk = section.has('psk_hint');
  const caFolder = section.textOrNull('capath');
  const crlFile = section.textOrNull('crlfile');
  const ciphers = section.textOrNull('ciphers');
  const ciphersTls13 = section.textOrNull('ciphers_tls1.3');
  const dhParametersFile = section.textOrNull('dhparamfile');
  return {
    caFile: section.textOrNull('cafile'),
    certificateFile: section.textOrNull('certfile'),
    keyFile: section.textOrNull('keyfile'),
    ...(caFolder === null || isPsk ? {} : { caFolder }),
    ...(crlFile === null || isPsk ? {} : { crlFile }),
    ...(ciphers === null ? {} : { ciphers }),
    ...(ciphersTls13 === null ? {} : { ciphersTls13 }),
    ...(dhParametersFile === null ? {} : { dhParametersFile }),
    minimumVersion: tlsVersionOf(section.text('tls_version')),
    ...(section.flag('disable_client_cert_date_checks') && !isPsk ? { ignoresDates: true } : {}),
  };
}

/** Mosquitto's names of TLS versions to ours. */
export function tlsVersionOf(name: string): TlsVersion {
  return name === 'tlsv1.3' ? 'TLSv1.3' : 'TLSv1.2';
}

/** What has no effect at this kind of listener is left out; a warning says so. */
function optionsOf(section: ConfSection, isUnix: boolean, isWebSocket: boolean): Partial<ListenerConfig> {
  const mountPoint = section.textOrNull('mount_point');
  const proxy = section.integerOrNull('enable_proxy_protocol');
  const networkInterface = section.textOrNull('bind_interface');
  const httpFolder = section.textOrNull('http_dir');
  return {
    ...(mountPoint === null ? {} : { mountPoint }),
    ...(proxy === 1 || proxy === 2 ? { proxyProtocol: proxy } : {}),
    ...(section.flag('proxy_protocol_v2_require_tls') ? { proxyRequiresTls: true } : {}),
    ...(networkInterface === null || isUnix ? {} : { networkInterface }),
    ...(httpFolder === null || !isWebSocket ? {} : { httpFolder }),
  };
}

import { listenerLimitsOf } from './build-limits.ts';
import { listenerTlsOf } from './build-tls-files.ts';
import type { ListenerConfig } from './config.ts';
import { optionalField } from './optional-field.ts';
import type { Section } from './section.ts';

const defaultPorts = { tcp: 1883, tls: 8883, unix: 0, ws: 8083, wss: 8084 } as const;

/** Makes the configuration of one `[[listener]]`. */
export function listenerOf(listener: Section): ListenerConfig {
  const protocol = listener.text('protocol') as ListenerConfig['protocol'];
  const passwordFile = listener.textOrNull('password_file');
  const scramFile = listener.textOrNull('scram_file');
  const hasUsers = passwordFile !== null || scramFile !== null;
  const allowAnonymous = listener.boolean('allow_anonymous');
  const limits = listenerLimitsOf(listener);
  return {
    name: listener.text('name'),
    protocol,
    address: listener.textOrNull('address') ?? defaultAddress(listener),
    port: listener.numberOrNull('port') ?? defaultPorts[protocol],
    path: listener.textOrNull('path') ?? '',
    webSocket:
      protocol === 'ws' || protocol === 'wss'
        ? { path: listener.text('websocket_path'), allowedOrigins: listener.texts('allowed_origins') }
        : null,
    tls: protocol === 'tls' || protocol === 'wss' ? listenerTlsOf(listener) : null,
    requireCertificate: listener.boolean('require_certificate'),
    passwordFile,
    scramFile,
    requirePassword: listener.booleanOrNull('require_password') ?? (hasUsers && !allowAnonymous),
    allowAnonymous,
    identityFromCertificate: listener.boolean('identity_from_certificate'),
    accessFile: listener.textOrNull('access_file'),
    stamp: listener.boolean('stamp'),
    minimumQos: listener.number('minimum_qos') as 0 | 1,
    sharedClientIds: listener.texts('shared_client_ids'),
    ...(listener.text('mount_point') === '' ? {} : { mountPoint: listener.text('mount_point') }),
    ...(Object.keys(limits).length === 0 ? {} : { limits }),
    ...optionalField('maximumConnections', listener.numberOrNull('maximum_connections')),
    ...placeOf(listener),
    ...identityOf(listener),
  };
}

/** Nobody is let in from outside by mistake. */
function defaultAddress(listener: Section): string {
  if (listener.has('network_interface')) return '';
  return listener.numberOrNull('ip_version') === 6 ? '::1' : '127.0.0.1';
}

type Place = Pick<
  ListenerConfig,
  'networkInterface' | 'ipVersion' | 'isOptional' | 'proxyProtocol' | 'proxyRequiresTls' | 'httpFolder'
>;

function placeOf(listener: Section): Place {
  return {
    ...optionalField('networkInterface', listener.textOrNull('network_interface')),
    ...optionalField('ipVersion', listener.numberOrNull('ip_version') as 4 | 6 | null),
    ...(listener.boolean('optional') ? { isOptional: true } : {}),
    ...optionalField('proxyProtocol', listener.numberOrNull('proxy_protocol') as 1 | 2 | null),
    ...(listener.boolean('proxy_requires_tls') ? { proxyRequiresTls: true } : {}),
    ...optionalField('httpFolder', listener.textOrNull('http_folder')),
  };
}

type Proof = Pick<ListenerConfig, 'certificateIdentity' | 'pskFile' | 'pskHint' | 'identityFromPsk'>;

/** Who a client has proved to be without a password. */
function identityOf(listener: Section): Proof {
  const isSubject = listener.text('certificate_identity') === 'subject';
  return {
    ...(isSubject ? { certificateIdentity: 'subject' } : {}),
    ...optionalField('pskFile', listener.textOrNull('psk_file')),
    ...optionalField('pskHint', listener.textOrNull('psk_hint')),
    ...(listener.boolean('identity_from_psk') ? { identityFromPsk: true } : {}),
  };
}

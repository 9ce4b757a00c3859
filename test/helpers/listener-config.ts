import type { ListenerConfig } from '#config';

/** A listener on a free port of loopback that lets everybody in, unless said otherwise. */
export function listenerConfig(change: Partial<ListenerConfig> = {}): ListenerConfig {
  return {
    name: 'detectors',
    protocol: 'tcp',
    address: '127.0.0.1',
    port: 0,
    path: '',
    webSocket: null,
    tls: null,
    requireCertificate: false,
    passwordFile: null,
    scramFile: null,
    requirePassword: false,
    allowAnonymous: true,
    identityFromCertificate: false,
    accessFile: null,
    stamp: false,
    minimumQos: 0,
    sharedClientIds: [],
    ...change,
  };
}

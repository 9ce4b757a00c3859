import { checkTlsChoice } from './check-tls.ts';
import type { ListenerConfig, TlsFilesConfig } from './config.ts';
import { fault, faultIfGiven, isLoopback, warn, type Desk } from './findings.ts';
import { listenerTlsKeys } from './schema-tls.ts';

const certificateKeys = ['require_certificate', 'identity_from_certificate'] as const;
const noAuthority = 'client certificates need an authority to be judged by; add ca_file = "…"';

/** What does not fit together of TLS and of client certificates at one listener. */
export function checkListenerTls(listener: ListenerConfig, desk: Desk): void {
  const { tls } = listener;
  if (tls === null) checkWithoutTls(listener, desk);
  else {
    checkTlsChoice(tls, desk);
    checkServerCertificate(tls, listener, desk);
    checkClientCertificates(tls, listener, desk);
    checkBrowsers(tls, listener, desk);
  }
  if (desk.section.has('certificate_identity') && !listener.identityFromCertificate)
    fault(
      desk,
      'certificate_identity',
      'certificate_identity needs identity_from_certificate = true; add it',
    );
  checkPsk(listener, desk);
}

/** By version 2 of its header a load balancer tells who has shown a certificate to it. */
function checkWithoutTls(listener: ListenerConfig, desk: Desk): void {
  const isByProxy = listener.proxyProtocol === 2;
  const keys = [
    'ca_file',
    'certificate_file',
    'key_file',
    ...listenerTlsKeys.map(({ key }) => key),
    ...(isByProxy ? [] : certificateKeys),
  ];
  const withTls = listener.protocol === 'ws' ? 'wss' : 'tls';
  const advice = listener.protocol === 'unix' ? '' : `add protocol = "${withTls}" or `;
  faultIfGiven(desk, keys, (key) => `${key} needs TLS; ${advice}remove the line`);
  if (!isByProxy || !(listener.requireCertificate || listener.identityFromCertificate)) return;
  if (listener.certificateIdentity === 'subject')
    fault(
      desk,
      'certificate_identity',
      'a load balancer tells the common name only; use certificate_identity = "common-name"',
    );
  if (listener.protocol !== 'unix' && !isLoopback(listener.address))
    warn(
      desk,
      'proxy_protocol',
      'whoever reaches this listener can say whose certificate it has seen; let only the load balancer reach it',
    );
}

function checkServerCertificate(tls: TlsFilesConfig, { pskFile }: ListenerConfig, desk: Desk): void {
  if (tls.certificateFile === null && tls.keyFile === null && pskFile !== undefined) return;
  if (tls.certificateFile === null)
    fault(desk, 'protocol', 'TLS needs a certificate; add certificate_file = "…"');
  if (tls.keyFile === null)
    fault(desk, 'protocol', 'TLS needs the private key of the certificate; add key_file = "…"');
}

function checkClientCertificates(tls: TlsFilesConfig, listener: ListenerConfig, desk: Desk): void {
  const { requireCertificate, identityFromCertificate, pskFile } = listener;
  const asked = certificateKeys.filter((_key, i) => [requireCertificate, identityFromCertificate][i]);
  const hasOnlyPsk = pskFile !== undefined && tls.certificateFile === null;
  const why = hasOnlyPsk
    ? 'clients show certificates only to a server with a certificate; add certificate_file = "…"'
    : noAuthority;
  if (hasOnlyPsk || (tls.caFile === null && tls.caFolder === undefined))
    for (const key of asked) fault(desk, key, why);
  if (requireCertificate && pskFile !== undefined && !hasOnlyPsk)
    fault(desk, 'psk_file', 'clients with a shared key show no certificate; remove require_certificate');
  if (asked.length > 0) return;
  faultIfGiven(
    desk,
    ['crl_file', 'ignore_certificate_dates'],
    (key) => `${key} is for client certificates; add require_certificate = true, or remove the line`,
  );
}

function checkBrowsers({ alpn = [] }: TlsFilesConfig, { protocol }: ListenerConfig, desk: Desk): void {
  if (protocol === 'wss' && alpn.length > 0 && !alpn.includes('http/1.1'))
    warn(desk, 'alpn', 'web browsers offer "http/1.1" and are refused; add it');
}

function checkPsk({ pskFile }: ListenerConfig, desk: Desk): void {
  if (pskFile === undefined)
    faultIfGiven(
      desk,
      ['psk_hint', 'identity_from_psk'],
      (key) => `${key} needs keys that are shared; add psk_file = "…"`,
    );
}

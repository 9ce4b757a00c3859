import { checkLimits } from './check-limits.ts';
import { checkListenerTls } from './check-listener-tls.ts';
import type { LimitsConfig, ListenerConfig } from './config.ts';
import { fault, faultIfGiven, isLoopback, warn, type Desk } from './findings.ts';

/** What does not fit together at one listener although each value is right; `limits` are the broker's. */
export function checkListener(listener: ListenerConfig, limits: LimitsConfig, desk: Desk): void {
  checkListenerTls(listener, desk);
  checkPlace(listener, desk);
  checkWebSocket(listener, desk);
  checkProxy(listener, desk);
  checkCredentials(listener, desk);
  if (listener.mountPoint?.startsWith('$') === true)
    fault(desk, 'mount_point', 'topics that begin with $ are kept for the broker; use another prefix');
  checkOwnLimits(listener, limits, desk);
}

function checkPlace(listener: ListenerConfig, desk: Desk): void {
  const { protocol, path, address, ipVersion } = listener;
  if (protocol === 'unix') {
    if (path === '') fault(desk, 'protocol', 'a Unix socket needs a file; add path = "…"');
    faultIfGiven(desk, ['address', 'port'], (key) => `a Unix socket has no ${key}; remove the line`);
    faultIfGiven(
      desk,
      ['network_interface', 'ip_version', 'optional'],
      (key) => `${key} is not for protocol = "unix"; remove the line`,
    );
    return;
  }
  faultIfGiven(desk, ['path'], () => 'path is only for protocol = "unix"; remove the line');
  if ((ipVersion === 6 && /^[\d.]+$/.test(address)) || (ipVersion === 4 && address.includes(':')))
    fault(desk, 'address', `${address} contradicts ip_version = ${ipVersion}; remove one of them`);
}

function checkWebSocket({ webSocket }: ListenerConfig, desk: Desk): void {
  if (webSocket === null) {
    faultIfGiven(
      desk,
      ['websocket_path', 'allowed_origins', 'http_folder'],
      (key) => `${key} is only for protocol = "ws" and "wss"; remove the line`,
    );
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

function checkProxy({ proxyProtocol, proxyRequiresTls }: ListenerConfig, desk: Desk): void {
  if (proxyRequiresTls === true && proxyProtocol !== 2)
    fault(desk, 'proxy_requires_tls', 'only version 2 tells of TLS; add proxy_protocol = 2');
}

function checkCredentials(listener: ListenerConfig, desk: Desk): void {
  const { requirePassword, allowAnonymous } = listener;
  const hasUsers = listener.passwordFile !== null || listener.scramFile !== null;
  if (requirePassword && !hasUsers)
    fault(desk, 'require_password', 'passwords need a file to be judged by; add password_file = "…"');
  if (requirePassword && allowAnonymous)
    fault(
      desk,
      'allow_anonymous',
      'require_password and allow_anonymous contradict each other; remove one of them',
    );
  if (!hasUsers && !allowAnonymous && !isProvenByTls(listener) && !requirePassword) {
    const byKey = listener.pskFile === undefined ? '' : 'identity_from_psk = true; or ';
    fault(
      desk,
      '',
      `nobody could sign in: add password_file = "…" (or ${byKey}require_certificate = true; or allow_anonymous = true to let everybody in)`,
    );
  }
  warnOfOpenDoor(listener, desk);
}

function isProvenByTls(listener: ListenerConfig): boolean {
  const { requireCertificate, identityFromCertificate, identityFromPsk = false } = listener;
  return requireCertificate || identityFromCertificate || identityFromPsk;
}

/** Where strangers may come in, or listen to passwords. */
function warnOfOpenDoor(listener: ListenerConfig, desk: Desk): void {
  const { allowAnonymous, requireCertificate, protocol, address, networkInterface, tls } = listener;
  if (protocol === 'unix' || isLoopback(address)) return;
  const where = networkInterface ?? address;
  const hasOnlyPsk = listener.pskFile !== undefined && tls?.certificateFile === null;
  if (allowAnonymous) {
    if (tls === null || !(requireCertificate || hasOnlyPsk))
      warn(desk, 'allow_anonymous', `everybody who reaches ${where} is let in`);
  } else if (tls === null && listener.passwordFile !== null)
    warn(
      desk,
      networkInterface === undefined ? 'address' : 'network_interface',
      `passwords cross the network at ${where} in the clear; keep it a closed one or use protocol = "${protocol === 'ws' ? 'wss' : 'tls'}"`,
    );
}

function checkOwnLimits(listener: ListenerConfig, limits: LimitsConfig, desk: Desk): void {
  const whole = { ...limits, ...listener.limits };
  if (listener.limits !== undefined) checkLimits(whole, desk);
  const { maximumConnections = 0 } = listener;
  if (maximumConnections > limits.maximumConnections)
    warn(
      desk,
      'maximum_connections',
      `[broker] takes ${limits.maximumConnections} connections in all; raise it there too`,
    );
  if (whole.usernameAsClientId === true && listener.allowAnonymous)
    fault(
      desk,
      'allow_anonymous',
      'a client without a name is refused by username_as_client_id; remove one of them',
    );
}

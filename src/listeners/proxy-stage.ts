import type { Socket } from 'node:net';
import { SparingLog, type PeerInfo, type Timer } from '#base';
import type { ListenerConfig } from '#config';
import type { ListenerContext, ListenerStatistics } from './listener.ts';
import { readProxyHeader, type ProxyHeader } from './proxy-header.ts';

export const defaultHandshakeTimeoutMs = 10_000;

/** What a listener asks of the proxy before it. */
export type ProxyRules = Pick<ListenerConfig, 'proxyProtocol' | 'proxyRequiresTls'>;

/** Where TLS, by a proxy, has been spoken with the client: who the proxy says it is counts, not who the proxy is. */
export interface ProxiedPeer extends PeerInfo {
  readonly isTlsAtProxy?: boolean;
}

/** Connections from a proxy whose PROXY header is not whole yet. What comes behind the header is left in the socket. */
export class ProxyStage {
  readonly #context: ListenerContext;
  readonly #statistics: ListenerStatistics;
  readonly #log: SparingLog;
  readonly #onArrival: (socket: Socket, peer: ProxiedPeer) => void;
  readonly #waiting = new Set<Socket>();

  /** `onArrival` gets each socket, paused, with the client that its header names. */
  constructor(
    context: ListenerContext,
    statistics: ListenerStatistics,
    onArrival: (socket: Socket, peer: ProxiedPeer) => void,
  ) {
    this.#context = context;
    this.#statistics = statistics;
    this.#log = new SparingLog(context.clock, context.log);
    this.#onArrival = onArrival;
  }

  /** Headers under way. */
  get count(): number {
    return this.#waiting.size;
  }

  /** Reads the header of a new connection. `proxy` is who has connected. */
  begin(socket: Socket, proxy: PeerInfo, rules: ProxyRules): void {
    const timeoutMs = this.#context.handshakeTimeoutMs ?? defaultHandshakeTimeoutMs;
    let held: Buffer = Buffer.alloc(0);
    const settle = (): void => {
      timer.cancel();
      this.#waiting.delete(socket);
      socket.off('data', onData);
      socket.off('close', onClose);
    };
    const refuse = (reason: string): void => {
      settle();
      this.#statistics.proxyFailures += 1;
      const fields = { peer: proxy.address };
      this.#log.warning(`PROXY header refused: ${reason}`, fields, 'PROXY header refused');
      socket.destroy();
    };
    const onData = (chunk: Buffer): void => {
      held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      const result = readProxyHeader(rules.proxyProtocol ?? 2, held);
      if (result.kind === 'more') return;
      if (result.kind === 'bad') {
        refuse(result.reason);
        return;
      }
      if (rules.proxyRequiresTls === true && !isSecure(result.header)) {
        refuse('the client did not come to the proxy by TLS');
        return;
      }
      settle();
      socket.pause();
      socket.off('error', ignore);
      if (held.length > result.length) socket.unshift(held.subarray(result.length));
      this.#onArrival(socket, peerBehind(proxy, result.header));
    };
    const onClose = (): void => {
      settle();
      // A load balancer that looks whether we live says nothing, and is nobody's fault.
      if (held.length > 0) refuse('the connection was closed in the middle of it');
    };
    const timer: Timer = this.#context.clock.after(timeoutMs, () =>
      refuse(`no whole header within ${timeoutMs / 1000} s`),
    );
    this.#waiting.add(socket);
    socket.on('error', ignore);
    socket.on('close', onClose);
    socket.on('data', onData);
  }

  close(): void {
    for (const socket of this.#waiting) socket.destroy();
  }
}

/** Whatever is wrong, the socket closes after it. */
function ignore(): void {}

/** The proxy's own health checks come from nobody. */
function isSecure({ tls, isLocal }: ProxyHeader): boolean {
  return isLocal || tls?.isSecure === true;
}

function peerBehind(proxy: PeerInfo, { client, tls }: ProxyHeader): ProxiedPeer {
  const commonName = tls?.commonName ?? null;
  return {
    ...proxy,
    ...client,
    // Only the proxy has seen the certificate itself.
    certificate: commonName === null ? null : { commonName, fingerprint: '' },
    proxyAddress: proxy.address,
    ...(tls?.isSecure === true ? { isTlsAtProxy: true } : {}),
  };
}

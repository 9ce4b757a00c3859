import type { Socket } from 'node:net';
import { WebSocket } from 'ws';
import type { Clock, PeerInfo, Transport, TransportHandler } from '#base';
import { webSocketOptions, WebSocketTransport } from './websocket-transport.ts';

const handshakeTimeoutMs = 10_000;

/** What a WebSocket is opened over, and for whom. */
export interface WebSocketDial {
  /** Connected, its TLS handshake done where there is one. */
  readonly socket: Socket;
  readonly peer: PeerInfo;
  /** `ws://host:port/path` or `wss://…`. */
  readonly url: string;
  readonly clock: Clock;
  readonly handler: TransportHandler;
  readonly signal: AbortSignal;
}

/** Asks for a WebSocket of the subprotocol `mqtt` [MQTT-6.0.0-3]. Rejects when the other side gives none; the socket is left to the caller. */
export function openWebSocket(options: WebSocketDial): Promise<Transport> {
  const { socket, peer, url, clock, handler, signal } = options;
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason as Error);
      return;
    }
    const web = new WebSocket(url.replace(/^wss:/, 'ws:'), ['mqtt'], {
      ...webSocketOptions,
      // TLS, where there is any, is spoken already.
      createConnection: () => socket,
    });
    const settle = (): void => {
      timer.cancel();
      signal.removeEventListener('abort', onAbort);
      web.off('error', onError);
      web.off('close', onClose);
    };
    const fail = (error: Error): void => {
      settle();
      web.on('error', () => {});
      reject(error);
      web.terminate();
    };
    const onAbort = (): void => fail(signal.reason as Error);
    const onError = (error: Error): void => fail(error);
    const onClose = (): void => fail(new Error('the connection was closed before the WebSocket was open'));
    const timer = clock.after(handshakeTimeoutMs, () =>
      fail(new Error(`no WebSocket within ${handshakeTimeoutMs / 1000} s`)),
    );
    signal.addEventListener('abort', onAbort, { once: true });
    web.on('error', onError);
    web.on('close', onClose);
    web.on('unexpected-response', (request, response) => {
      const path = new URL(url).pathname;
      fail(new Error(`answered HTTP ${response.statusCode}, no WebSocket; is ${path} the right path?`));
      request.destroy();
    });
    // The transport is made in the very moment of success: nothing that follows can be missed.
    web.once('open', () => {
      settle();
      resolve(new WebSocketTransport(web, socket, peer, clock, handler));
    });
  });
}

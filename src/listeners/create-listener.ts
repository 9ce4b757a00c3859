import type { ListenerConfig } from '#config';
import type { Listener, ListenerContext, OnTransport } from './listener.ts';
import { TcpListener } from './tcp-listener.ts';
import { TlsListener } from './tls-listener.ts';
import { UnixListener } from './unix-listener.ts';
import { WebSocketListener } from './websocket-listener.ts';

/** Makes the listener that the configuration names; nothing is opened before `start()`. */
export function createListener(
  config: ListenerConfig,
  onTransport: OnTransport,
  context: ListenerContext,
): Listener {
  switch (config.protocol) {
    case 'tls':
      return new TlsListener(config, onTransport, context);
    case 'unix':
      return new UnixListener(config, onTransport, context);
    case 'ws':
    case 'wss':
      return new WebSocketListener(config, onTransport, context);
    case 'tcp':
    default:
      return new TcpListener(config, onTransport, context);
  }
}

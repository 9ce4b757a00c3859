/** Level 3: every socket of MQTT, in and out. Listeners take connections, dialers open them; both give a `Transport`. */
export { createListener } from './create-listener.ts';
export { checkDialFiles, createDialer, type DialOptions } from './dial.ts';
export {
  isSameDoor,
  localPeer,
  type BoundAddress,
  type Listener,
  type ListenerBound,
  type ListenerBounds,
  type ListenerContext,
  type ListenerStatistics,
  type PreparedReload,
} from './listener.ts';
export { createMemoryDialer } from './memory.ts';
export { isAddressMissing } from './network-error.ts';
export type { SocksProxy } from './socks-proxy.ts';
export { SocketTransport } from './socket-transport.ts';

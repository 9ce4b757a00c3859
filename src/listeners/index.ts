/** Level 3: every socket of MQTT, in and out. Listeners take connections, dialers open them; both give a `Transport`. */
export { createListener } from './create-listener.ts';
export { createDialer, type DialOptions } from './dial.ts';
export {
  localPeer,
  type BoundAddress,
  type Listener,
  type ListenerContext,
  type ListenerStatistics,
} from './listener.ts';
export { createMemoryDialer } from './memory.ts';
export { SocketTransport } from './socket-transport.ts';

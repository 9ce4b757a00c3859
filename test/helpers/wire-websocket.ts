import { once } from 'node:events';
import { WebSocket } from 'ws';
import type { WireTransport } from './wire-client.ts';

/** The tables over WebSocket: each write is one binary message, wherever packets begin and end. */
export const overWebSocket: WireTransport = {
  name: 'WebSocket',
  protocol: 'ws',
  open: async (port, events) => {
    const web = new WebSocket(`ws://127.0.0.1:${port}/mqtt`, 'mqtt', { perMessageDeflate: false });
    web.on('error', () => {}); // the close tells all
    web.on('message', (data) => events.onBytes(data as Buffer));
    web.on('close', events.onClose);
    await once(web, 'open');
    return { write: (bytes) => web.send(bytes), destroy: () => web.terminate() };
  },
};

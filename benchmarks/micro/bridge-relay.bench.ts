/**
 * What one QoS 1 message costs in a bridge: PUBLISH from the local broker to the other one and PUBACK back, without any
 * socket. The stamped message has the user properties that a site puts on it.
 * Run: node --conditions=source benchmarks/micro/bridge-relay.bench.ts
 */
import { silentLogger, SystemClock, type Dialer, type Transport, type TransportHandler } from '#base';
import { Bridge } from '#bridges';
import { createPublishProperties } from '#client';
import { encodePacket, PacketType, type PublishProperties } from '#mqtt';
import { measure } from './measure.ts';

const chunkMessages = 100;

/** A broker that says yes to CONNECT and takes everything at once. */
class YesBroker implements Dialer {
  readonly target = 'bench';
  handler: TransportHandler = { onBytes: () => {}, onDrain: () => {}, onClose: () => {} };
  bytes = 0;

  dial(handler: TransportHandler): Promise<Transport> {
    this.handler = handler;
    const connack = encodePacket(
      { type: PacketType.Connack, sessionPresent: false, reasonCode: 0, properties: {} },
      5,
    );
    let isFirst = true;
    return Promise.resolve({
      peer: { address: 'local', port: 0, certificate: null },
      handler,
      pendingBytes: 0,
      write: (bytes) => {
        this.bytes += bytes.length;
        if (isFirst) setImmediate(() => handler.onBytes(connack));
        isFirst = false;
      },
      pause: () => {},
      resume: () => {},
      end: () => handler.onClose(undefined),
      destroy: () => {},
    });
  }
}

function chunkOf(properties: PublishProperties | null): Buffer {
  const payload = Buffer.from('495-Gas Sensor IP:192.168.1.11 MAC:AD:18:14:7F:CF:5C Reading value=0');
  return Buffer.concat(
    Array.from({ length: chunkMessages }, (_, index) =>
      encodePacket(
        {
          type: PacketType.Publish,
          topic: `outTopic/23.17.224.11/192.168.1.${index % 12}`,
          payload,
          qos: 1,
          retain: false,
          dup: false,
          packetId: index + 1,
          properties,
        },
        5,
      ),
    ),
  );
}

const [local, remote] = [new YesBroker(), new YesBroker()];
const tasks: (() => void)[] = [];
const bridge = new Bridge({
  config: {
    name: 'bench',
    host: '',
    port: 0,
    tls: null,
    protocolVersion: 5,
    clientId: 'bench',
    username: null,
    passwordFile: null,
    keepAliveSeconds: 0,
    cleanStart: false,
    sessionExpirySeconds: 1,
    retryMinimumMs: 1000,
    retryMaximumMs: 1000,
    topics: [{ filter: 'outTopic/#', direction: 'out', qos: 1, localPrefix: '', remotePrefix: '' }],
  },
  brokerName: 'bench',
  localDialer: local,
  remoteDialer: remote,
  clock: new SystemClock(),
  log: silentLogger,
  scheduler: (callback) => tasks.push(callback),
});
bridge.start();
while (bridge.status.state !== 'connected') await new Promise((resolve) => setImmediate(resolve));

const answers = Buffer.concat(
  Array.from({ length: chunkMessages }, (_, index) =>
    encodePacket({ type: PacketType.Puback, packetId: index + 1, reasonCode: 0, properties: {} }, 5),
  ),
);

/** One turn for each chunk: the messages, their answers, the gathered writes. */
function relay(count: number, chunk: Buffer): number {
  for (let sent = 0; sent < count; sent += chunkMessages) {
    local.handler.onBytes(chunk);
    remote.handler.onBytes(answers);
    while (tasks.length > 0) tasks.shift()!();
    local.handler.onDrain();
    remote.handler.onDrain();
  }
  return remote.bytes;
}

const stamped = chunkOf(
  createPublishProperties({
    userProperties: [
      ['davy-site', 'north'],
      ['davy-received', '1700000000000'],
      ['davy-id', 'lq0x1z2y-3f2'],
    ],
  }),
);
const plain = chunkOf(null);
measure('relay PUBLISH and PUBACK, no properties', 300_000, (count) => relay(count, plain));
measure('relay PUBLISH and PUBACK, stamped', 300_000, (count) => relay(count, stamped));
await bridge.close();

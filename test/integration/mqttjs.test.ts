/** A foreign client, MQTT.js, against the broker over a real socket, in both versions and at each QoS. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { connectAsync } from 'mqtt';
import { SystemClock, silentLogger } from '#base';
import { Broker } from '#broker';
import { readToml } from '#config';
import { MemoryJournal } from '#journal';
import { createListener } from '#listeners';
import { allowAll } from '#security';

async function startBroker(): Promise<AsyncDisposable & { readonly url: string }> {
  const text =
    'role = "site"\nname = "test"\n[[listener]]\nname = "open"\nprotocol = "tcp"\nport = 0\nallow_anonymous = true\n';
  const { config } = readToml(text, 'test.toml', { baseFolder: '/' });
  const clock = new SystemClock();
  const broker = new Broker({
    clock,
    log: silentLogger,
    limits: config.limits,
    journal: new MemoryJournal(),
    name: 'test',
    version: '0',
  });
  broker.start();
  const profile = {
    name: 'open',
    authenticator: { authenticate: () => ({ reasonCode: 0 as const, name: null }) },
    authorizer: allowAll,
    stampSite: null,
    minimumQos: 0 as const,
    sharedClientIds: new Set<string>(),
  };
  const [listenerConfig] = config.listeners;
  assert.ok(listenerConfig);
  const listener = createListener(listenerConfig, (transport) => broker.accept(transport, profile), {
    clock,
    log: silentLogger,
    maximumConnections: 100,
  });
  const { port } = await listener.start();
  return {
    url: `mqtt://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      await listener.close();
      await broker.close();
    },
  };
}

describe('MQTT.js', () => {
  for (const protocolVersion of [4, 5] as const) {
    for (const qos of [0, 1, 2] as const) {
      it(`carries messages at QoS ${qos} in version ${protocolVersion}, in order`, async () => {
        await using broker = await startBroker();
        const subscriber = await connectAsync(broker.url, { protocolVersion, clientId: 'subscriber' });
        const publisher = await connectAsync(broker.url, { protocolVersion, clientId: 'publisher' });
        await subscriber.subscribeAsync('rooms/+/gas', { qos });
        const received: string[] = [];
        const done = new Promise<void>((resolve) => {
          subscriber.on('message', (_topic, payload) => {
            received.push(payload.toString());
            if (received.length === 200) resolve();
          });
        });
        for (let n = 0; n < 200; n++) void publisher.publishAsync('rooms/kitchen/gas', String(n), { qos });
        await done;
        assert.deepEqual(
          received,
          Array.from({ length: 200 }, (_, n) => String(n)),
        );
        await publisher.endAsync();
        await subscriber.endAsync();
      });
    }
  }

  it('gets retained messages and a will', async () => {
    await using broker = await startBroker();
    const will = { topic: 'state/a', payload: Buffer.from('offline'), qos: 1 as const, retain: true };
    const device = await connectAsync(broker.url, { clientId: 'a', will, reconnectPeriod: 0 });
    await device.publishAsync('state/a', 'online', { qos: 1, retain: true });
    const watcher = await connectAsync(broker.url, { clientId: 'w' });
    const next = (): Promise<string> =>
      new Promise((resolve) => watcher.once('message', (_topic, payload) => resolve(payload.toString())));
    const first = next();
    await watcher.subscribeAsync('state/#', { qos: 1 });
    assert.equal(await first, 'online');
    const second = next();
    device.stream.destroy();
    assert.equal(await second, 'offline');
    await watcher.endAsync();
  });
});

/** Several brokers on one machine, so of one host name, bridged over MQTT 5: nothing is taken for a message that comes back. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { freePort } from '../../helpers/demo-process.ts';
import {
  asOurselves,
  ConfFolder,
  DropInBroker,
  skipWithoutMosquitto,
  Subscriber,
} from '../drop-in/drop-in-broker.ts';
import { publish, untilBridge } from './bridge-programs.ts';

const open = (port: number, lines = ''): string =>
  `${asOurselves}listener ${port} 127.0.0.1\nallow_anonymous true\nsys_interval 1\n${lines}`;

const bridgeTo = (name: string, port: number, topic: string): string =>
  `connection ${name}\naddress 127.0.0.1:${port}\nremote_clientid ${name}\nbridge_protocol_version mqttv50\nrestart_timeout 1\ntopic ${topic}\n`;

const isConnected = (value: string): boolean => value === 'connected';

describe('brokers of one machine', { skip: skipWithoutMosquitto }, () => {
  it('a chain of four at QoS 2 over MQTT 5: each message once, in order', async () => {
    await using folder = await ConfFolder.create();
    await using stack = new AsyncDisposableStack();
    const ports = [await freePort(), await freePort(), await freePort(), await freePort()] as const;
    const start = async (index: 0 | 1 | 2 | 3): Promise<void> => {
      const next = ports[index + 1];
      const lines = next === undefined ? '' : bridgeTo(`bridge-${index}`, next, 'srv/# out 2');
      const file = await folder.write(`${index}.conf`, open(ports[index], lines));
      stack.use(await DropInBroker.start(file, ports[index]));
    };
    for (const index of [3, 2, 1, 0] as const) await start(index);
    await using end = await Subscriber.start(...`-p ${ports[3]} -t srv/# -q 2`.split(' '));
    const expected = Array.from({ length: 10 }, (_, index) => `message ${index}`);
    for (const message of expected) await publish(...`-p ${ports[0]} -t srv/x -q 2 -m`.split(' '), message);
    await end.received('message 9');
    assert.deepEqual(end.messages, expected);
  });

  it('two brokers with a bridge to each other: both name it in the log, nothing goes round, nothing is lost', async () => {
    await using folder = await ConfFolder.create();
    const [one, two] = [await freePort(), await freePort()];
    const both = 'gas/# both 1';
    await using first = await DropInBroker.start(
      await folder.write('one.conf', open(one, bridgeTo('to-two', two, both))),
      one,
    );
    await using second = await DropInBroker.start(
      await folder.write('two.conf', open(two, bridgeTo('to-one', one, both))),
      two,
    );
    await untilBridge(one, 'to-two', 'state', isConnected);
    await untilBridge(two, 'to-one', 'state', isConnected);
    await using here = await Subscriber.start(...`-p ${one} -t gas/# -q 1`.split(' '));
    await using there = await Subscriber.start(...`-p ${two} -t gas/# -q 1`.split(' '));
    await publish(...`-p ${one} -t gas/x -q 1 -m first`.split(' '));
    const warning = /the other broker has a bridge to this one that carries the same topics.*topic=gas\/x/;
    await first.logged(warning);
    await second.logged(warning);
    await publish(...`-p ${one} -t gas/x -q 1 -m last`.split(' '));
    await there.received('last', 2);
    // Behind everything that could have come back.
    await publish(...`-p ${two} -t gas/x -q 1 -m back`.split(' '));
    await here.received('back', 2);
    assert.deepEqual(here.messages, ['first', 'last', 'back', 'back']);
  });

  it('over WebSocket, where nothing but HTTP is let through', async () => {
    await using folder = await ConfFolder.create();
    const [near, far, farPlain] = [await freePort(), await freePort(), await freePort()];
    const plain = (port: number): string =>
      `[[listener]]\nname = "plain"\naddress = "127.0.0.1"\nport = ${port}\nallow_anonymous = true\n`;
    const farToml = `role = "relay"\nname = "far"\n[[listener]]\nname = "web"\nprotocol = "ws"\naddress = "127.0.0.1"\nport = ${far}\nallow_anonymous = true\n${plain(farPlain)}`;
    const nearToml = `role = "site"\nname = "near"\n${plain(near)}[[bridge]]\nname = "far"\nhost = "127.0.0.1"\nport = ${far}\nwebsocket_path = "/mqtt"\nretry_maximum = "1s"\n[[bridge.topic]]\nfilter = "#"\nlocal_prefix = "gas/"\nremote_prefix = "gas/"\ndirection = "both"\n`;
    await using _far = await DropInBroker.start(await folder.write('far/relay.toml', farToml), far, {
      program: 'relay',
    });
    await using _near = await DropInBroker.start(await folder.write('near/site.toml', nearToml), near, {
      program: 'site',
    });
    await using end = await Subscriber.start(...`-p ${farPlain} -t gas/# -q 1`.split(' '));
    await publish(...`-p ${near} -t gas/1 -q 1 -m one`.split(' '));
    await end.received('one');
    await using here = await Subscriber.start(...`-p ${near} -t gas/# -q 1`.split(' '));
    await publish(...`-p ${farPlain} -t gas/1 -q 1 -m two`.split(' '));
    await here.received('two');
    assert.deepEqual(end.messages, ['one', 'two']);
    assert.deepEqual(here.messages, ['two']);
  });
});

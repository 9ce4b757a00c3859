/** What a Mosquitto is told of a bridge to it, also when that one is killed. */
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

const state = '$SYS/broker/connection/near/state';

describe('notifications of a bridge to Mosquitto', { skip: skipWithoutMosquitto }, () => {
  for (const version of ['mqttv311', 'mqttv50'] as const) {
    it(`${version}: up, down after kill -9, up again, down after a polite end`, async () => {
      await using folder = await ConfFolder.create();
      const [near, far] = [await freePort(), await freePort()];
      const open = (port: number): string =>
        `${asOurselves}listener ${port} 127.0.0.1\nallow_anonymous true\n`;
      await using _far = await DropInBroker.start(await folder.write('far.conf', open(far)), far, {
        program: 'mosquitto',
      });
      const bridge = `connection far\naddress 127.0.0.1:${far}\nremote_clientid near\nbridge_protocol_version ${version}\nrestart_timeout 1\ntopic gas/# out 1\n`;
      const file = await folder.write('near.conf', `${open(near)}${bridge}`);
      await using there = await Subscriber.start('-p', String(far), '-t', state, '-q', '1');
      for (const [signal, count] of [
        ['SIGKILL', 1],
        ['SIGTERM', 2],
      ] as const) {
        await using broker = await DropInBroker.start(file, near);
        await there.received('1', count);
        await using here = await Subscriber.start('-p', String(near), '-t', state, '-q', '1');
        await here.received('1');
        broker.kill(signal);
        await there.received('0', count);
      }
      assert.deepEqual(there.messages, ['1', '0', '1', '0']);
      // Retained: whoever comes later is told, too.
      await using late = await Subscriber.start('-p', String(far), '-t', state, '-q', '1');
      await late.received('0');
    });
  }
});

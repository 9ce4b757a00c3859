/** Every kind of listener from a mosquitto.conf, with the clients that people have; `$SYS`; the TLS key log. */
import assert from 'node:assert/strict';
import { stat } from 'node:fs/promises';
import { createConnection, createServer, type AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import mqtt from 'mqtt';
import { eventually, freePort, runProgram, type Outcome } from '../../helpers/demo-process.ts';
import { TestAuthority } from '../../helpers/test-certificates.ts';
import {
  asOurselves,
  ConfFolder,
  DropInBroker,
  isOpen,
  skipWithoutMosquitto,
  Subscriber,
} from './drop-in-broker.ts';

const publish = (port: number, words: string): Promise<Outcome> =>
  runProgram('mosquitto_pub', `-p ${port} ${words}`.split(' '));
const subscribe = (words: string): Promise<Subscriber> => Subscriber.start(...words.split(' '));

/** A port of loopback that hands everything on to another, with a header before it. */
async function proxyTo(port: number, header: Buffer): Promise<{ port: number } & AsyncDisposable> {
  const server = createServer((near) => {
    const far = createConnection(port, '127.0.0.1');
    far.write(header);
    near.pipe(far).pipe(near);
    for (const socket of [near, far]) {
      socket.on('error', () => {});
      socket.on('close', () => {
        near.destroy();
        far.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

describe('listeners of a mosquitto.conf', { skip: skipWithoutMosquitto }, () => {
  it('serves $SYS to mosquitto_sub, in the intervals that are asked for', async () => {
    await using folder = await ConfFolder.create();
    const port = await freePort();
    const file = await folder.write(
      'm.conf',
      `${asOurselves}listener ${port} 127.0.0.1\nallow_anonymous true\nsys_interval 1\n`,
    );
    await using _broker = await DropInBroker.start(file, port);
    await using watcher = await Subscriber.start('-p', String(port), '-t', '$SYS/#', '-F', '%t %p');
    await eventually('the counters', () =>
      watcher.messages.includes('$SYS/broker/clients/connected 1') &&
      watcher.messages.some((line) => line.startsWith('$SYS/broker/version davylamp version '))
        ? true
        : undefined,
    );
    await eventually('the next round', () =>
      watcher.messages.filter((line) => line.startsWith('$SYS/broker/uptime ')).length > 2 ? true : undefined,
    );
    assert.ok(watcher.messages.some((line) => line.startsWith('$SYS/broker/load/messages/received/1min ')));
  });

  it('keeps mount points apart', async () => {
    await using folder = await ConfFolder.create();
    const [north, south, all] = [await freePort(), await freePort(), await freePort()];
    const file = await folder.write(
      'm.conf',
      `${asOurselves}listener ${north} 127.0.0.1\nmount_point north/\nallow_anonymous true\n` +
        `listener ${south} 127.0.0.1\nmount_point south/\nlistener ${all} 127.0.0.1\n`,
    );
    await using _broker = await DropInBroker.start(file, all);
    await using inNorth = await subscribe(`-p ${north} -t # -F %t -q 1`);
    await using inSouth = await subscribe(`-p ${south} -t # -F %t -q 1`);
    await using above = await subscribe(`-p ${all} -t # -F %t -q 1`);
    await publish(north, '-t gas/1 -m x -q 1');
    await publish(south, '-t gas/2 -m x -q 1');
    await publish(all, '-t north/gas/3 -m x -q 1');
    await publish(all, '-t south/last -m x -q 1');
    await publish(all, '-t north/last -m x -q 1');
    for (const one of [inNorth, inSouth]) await one.received('last');
    await above.received('north/last');
    assert.deepEqual(inNorth.messages, ['gas/1', 'gas/3', 'last']);
    assert.deepEqual(inSouth.messages, ['gas/2', 'last']);
    assert.deepEqual(above.messages, [
      'north/gas/1',
      'south/gas/2',
      'north/gas/3',
      'south/last',
      'north/last',
    ]);
  });

  it('gives each listener its own users and rules with per_listener_settings', async () => {
    await using folder = await ConfFolder.create();
    const [open, closed] = [await freePort(), await freePort()];
    const passwords = await folder.write('passwords', '');
    await runProgram('mosquitto_passwd', ['-b', passwords, 'anna', 'a']);
    const rules = await folder.write('rules', 'user anna\ntopic readwrite gas/#\n');
    const file = await folder.write(
      'm.conf',
      `${asOurselves}per_listener_settings true\nlistener ${open} 127.0.0.1\nallow_anonymous true\n` +
        `listener ${closed} 127.0.0.1\npassword_file ${passwords}\nacl_file ${rules}\n`,
    );
    await using _broker = await DropInBroker.start(file, closed);
    await using watcher = await subscribe(`-p ${open} -t # -F %t -q 1`);
    assert.notEqual((await publish(closed, '-t gas/1 -m x -q 1')).code, 0);
    assert.notEqual((await publish(closed, '-t gas/1 -m x -q 1 -u anna -P b')).code, 0);
    assert.equal((await publish(closed, '-t gas/1 -m x -q 1 -u anna -P a')).code, 0);
    await publish(closed, '-t other -m x -q 1 -u anna -P a');
    assert.equal((await publish(open, '-t last -m x -q 1')).code, 0);
    await watcher.received('last');
    assert.deepEqual(watcher.messages, ['gas/1', 'last']);
  });

  it('knows the client behind a proxy, by PROXY protocol 1 and 2', async () => {
    await using folder = await ConfFolder.create();
    const [one, two] = [await freePort(), await freePort()];
    const file = await folder.write(
      'm.conf',
      `${asOurselves}listener ${one} 127.0.0.1\nenable_proxy_protocol 1\nallow_anonymous true\n` +
        `listener ${two} 127.0.0.1\nenable_proxy_protocol 2\n`,
    );
    await using broker = await DropInBroker.start(file, two);
    await using proxy1 = await proxyTo(one, Buffer.from('PROXY TCP4 192.0.2.5 192.0.2.1 6275 1883\r\n'));
    // Signature; version 2, PROXY, TCP over IPv4, 12 bytes; from 192.0.2.6 to 192.0.2.1, from port 6276 to 1883.
    const head = '0d0a0d0a000d0a515549540a2111000cc0000206c00002011884075b';
    await using proxy2 = await proxyTo(two, Buffer.from(head, 'hex'));
    assert.equal((await publish(proxy1.port, '-t a -m x -q 1 -i tank-7')).code, 0);
    await broker.logged('New client connected from 192.0.2.5:6275 as tank-7 (p2, c1, k60).');
    assert.equal((await publish(proxy2.port, '-t a -m x -q 1 -i tank-8 -V 5')).code, 0);
    await broker.logged('New client connected from 192.0.2.6:6276 as tank-8 (p5, c1, k60).');
    assert.notEqual((await publish(one, '-t a -m x -q 1')).code, 0, 'nobody gets in beside the proxy');
  });

  it('speaks WebSocket and serves the files of http_dir beside it', async () => {
    await using folder = await ConfFolder.create();
    const [port, plain] = [await freePort(), await freePort()];
    await folder.write('www/index.html', '<p>hello</p>');
    const file = await folder.write(
      'm.conf',
      `${asOurselves}listener ${port} 127.0.0.1\nprotocol websockets\nhttp_dir ${folder.file('www')}\nallow_anonymous true\nlistener ${plain} 127.0.0.1\n`,
    );
    await using _broker = await DropInBroker.start(file, port);
    await using watcher = await subscribe(`-p ${plain} -t ws -q 1`);
    const client = await mqtt.connectAsync(`ws://127.0.0.1:${port}/`, { protocolVersion: 5 });
    await client.publishAsync('ws', 'from a browser', { qos: 1 });
    await watcher.received('from a browser');
    await client.endAsync();
    const page = await fetch(`http://127.0.0.1:${port}/index.html`);
    assert.equal(await page.text(), '<p>hello</p>');
    assert.equal((await fetch(`http://127.0.0.1:${port}/..%2fm.conf`)).ok, false);
  });

  it('listens on a Unix socket', async () => {
    await using folder = await ConfFolder.create();
    const socket = folder.file('broker.sock');
    const port = await freePort();
    const file = await folder.write(
      'm.conf',
      `${asOurselves}listener 0 ${socket}\nallow_anonymous true\nlistener ${port} 127.0.0.1\n`,
    );
    await using broker = await DropInBroker.start(file, socket);
    await using watcher = await subscribe(`-p ${port} -t # -q 1`);
    const { code, stderr } = await runProgram(
      'mosquitto_pub',
      `--unix ${socket} -t a -m unix -q 1`.split(' '),
    );
    assert.equal(code, 0, stderr);
    await watcher.received('unix');
    await broker.stop();
    assert.equal(await isOpen(socket), false);
  });

  it('takes TLS-PSK, its identity as the user name', async () => {
    await using folder = await ConfFolder.create();
    const port = await freePort();
    const psk = await folder.write('psk', 'tank:c0ffee\n');
    const rules = await folder.write('rules', 'user tank\ntopic readwrite gas/#\n');
    const file = await folder.write(
      'm.conf',
      `${asOurselves}listener ${port} 127.0.0.1\npsk_file ${psk}\npsk_hint h\nuse_identity_as_username true\nacl_file ${rules}\n`,
    );
    await using broker = await DropInBroker.start(file, port);
    const key = '--psk-identity tank --psk';
    assert.equal((await publish(port, `${key} c0ffee -t gas/1 -m x -q 1 -i t`)).code, 0);
    await broker.logged(/as t \(p2, c1, k60, u'tank'\)/);
    assert.notEqual((await publish(port, `${key} 00ffee -t gas/1 -m x -q 1`)).code, 0);
  });

  it('writes the TLS key log for its owner alone', async () => {
    await using folder = await ConfFolder.create();
    await using authority = await TestAuthority.create();
    const { certificateFile, keyFile } = await authority.issue('server', 'DNS:localhost,IP:127.0.0.1');
    const port = await freePort();
    const file = await folder.write(
      'm.conf',
      `${asOurselves}listener ${port} 127.0.0.1\ncertfile ${certificateFile}\nkeyfile ${keyFile}\nallow_anonymous true\n`,
    );
    const keyLog = folder.file('keys');
    await using _broker = await DropInBroker.start(file, port, { args: ['--tls-keylog', keyLog] });
    const { code } = await publish(port, `-h localhost --cafile ${authority.caFile} -t a -m x -q 1`);
    assert.equal(code, 0);
    await eventually('the secrets', async () =>
      /^(?:CLIENT_TRAFFIC_SECRET_0|CLIENT_RANDOM) [0-9a-f]{64} [0-9a-f]+$/m.test(await folder.read('keys'))
        ? true
        : undefined,
    );
    assert.equal((await stat(keyLog)).mode & 0o777, 0o600);
  });
});

/** The set-ups that people have: one broker, a bridge, a chain of four, the chain with mutual TLS, a relay with two tenants. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { freePort, runProgram } from '../../helpers/demo-process.ts';
import { TestAuthority } from '../../helpers/test-certificates.ts';
import { asOurselves, ConfFolder, DropInBroker, skipWithoutMosquitto, Subscriber } from './drop-in-broker.ts';

/** One message by mosquitto_pub; fails when it could not be delivered to the broker. */
async function publish(...args: readonly string[]): Promise<void> {
  const { code, stderr } = await runProgram('mosquitto_pub', args);
  assert.equal(code, 0, stderr);
}

/** A configuration of one listener, `lines` of the test's behind it. */
const open = (port: number, lines = ''): string =>
  `${asOurselves}listener ${port} 127.0.0.1\nallow_anonymous true\n${lines}`;

/** Publishes until one comes through: then the bridges stand. What comes later must come once. */
async function untilConnected(end: Subscriber, port: number, topic: string): Promise<void> {
  await publish('-p', String(port), '-t', topic, '-q', '2', '-m', 'first');
  await end.received('first');
}

describe('set-ups of a mosquitto.conf', { skip: skipWithoutMosquitto }, () => {
  it('one broker, anonymous publishers, two subscribers', async () => {
    await using folder = await ConfFolder.create();
    const port = await freePort();
    await using _broker = await DropInBroker.start(await folder.write('m.conf', open(port)), port);
    await using one = await Subscriber.start('-p', String(port), '-t', 'outTopic/#', '-q', '2');
    await using two = await Subscriber.start('-p', String(port), '-t', 'outTopic/+/b', '-q', '1', '-V', '5');
    for (const qos of ['0', '1', '2'])
      await publish('-p', String(port), '-t', 'outTopic/a/b', '-m', `reading ${qos}`, '-q', qos);
    await one.received('reading 2');
    await two.received('reading 2');
    const all = ['reading 0', 'reading 1', 'reading 2'];
    assert.deepEqual([...one.messages].sort(), all);
    assert.deepEqual([...two.messages].sort(), all);
  });

  for (const central of ['davylamp', 'mosquitto'] as const) {
    it(`a bridge broker that hands srv/# on to ${central} at QoS 2, once each`, async () => {
      await using folder = await ConfFolder.create();
      const [near, far] = [await freePort(), await freePort()];
      const farFile = await folder.write('far.conf', open(far));
      const nearFile = await folder.write(
        'near.conf',
        open(near, `connection central\naddress 127.0.0.1:${far}\ntopic srv/# out 2\n`),
      );
      await using _far = await DropInBroker.start(farFile, far, { program: central });
      await using end = await Subscriber.start('-p', String(far), '-t', 'srv/#', '-q', '2');
      await using _near = await DropInBroker.start(nearFile, near);
      await untilConnected(end, near, 'srv/x');
      for (let i = 0; i < 50; i++)
        await publish('-p', String(near), '-t', 'srv/x', '-q', '2', '-m', String(i));
      await publish('-p', String(near), '-t', 'other', '-q', '2', '-m', 'not for the other side');
      await publish('-p', String(near), '-t', 'srv/x', '-q', '2', '-m', 'last');
      await end.received('last');
      assert.deepEqual(end.messages, ['first', ...Array.from({ length: 50 }, (_, i) => String(i)), 'last']);
    });
  }

  it('a chain of four: bridge 1 to the centre, bridge 2 by bridge 3 to the centre', async () => {
    await using folder = await ConfFolder.create();
    const [one, two, three, centre] = [
      await freePort(),
      await freePort(),
      await freePort(),
      await freePort(),
    ];
    const bridgeTo = (name: string, port: number): string =>
      `connection ${name}\naddress 127.0.0.1:${port}\ntopic srv/# out 2\nremote_clientid ${name}\n`;
    const start = async (name: string, port: number, lines: string): Promise<DropInBroker> =>
      DropInBroker.start(await folder.write(`${name}.conf`, open(port, lines)), port);
    await using _centre = await start('centre', centre, '');
    await using _three = await start('three', three, bridgeTo('three', centre));
    await using _two = await start('two', two, bridgeTo('two', three));
    await using _one = await start('one', one, bridgeTo('one', centre));
    await using end = await Subscriber.start('-p', String(centre), '-t', 'srv/#', '-q', '2');
    await untilConnected(end, one, 'srv/1');
    await untilConnected(end, two, 'srv/2');
    for (let i = 0; i < 10; i++) {
      await publish('-p', String(one), '-t', 'srv/1', '-q', '2', '-m', `one ${i}`);
      await publish('-p', String(two), '-t', 'srv/2', '-q', '2', '-m', `two ${i}`);
    }
    await end.received('one 9');
    await end.received('two 9');
    const numbers = Array.from({ length: 10 }, (_, i) => i);
    assert.deepEqual(
      end.messages.filter((message) => message.startsWith('one')),
      numbers.map((i) => `one ${i}`),
    );
    assert.deepEqual(
      end.messages.filter((message) => message.startsWith('two')),
      numbers.map((i) => `two ${i}`),
    );
  });

  it('site, relay and cloud with mutual TLS throughout, passwords at the site', async () => {
    await using folder = await ConfFolder.create();
    await using authority = await TestAuthority.create();
    const names = 'DNS:localhost,IP:127.0.0.1';
    const server = await authority.issue('server', names);
    const site = await authority.issue('site-north');
    const relay = await authority.issue('relay');
    const [siteFile, relayFile] = [site, relay].map(
      ({ certificateFile, keyFile }) =>
        `bridge_cafile ${authority.caFile}\nbridge_certfile ${certificateFile}\nbridge_keyfile ${keyFile}\n`,
    );
    const mutual = (port: number, access: string): string =>
      `${asOurselves}listener ${port} 127.0.0.1\ncafile ${authority.caFile}\ncertfile ${server.certificateFile}\nkeyfile ${server.keyFile}\nrequire_certificate true\nuse_identity_as_username true\nacl_file ${access}\n`;
    const [sitePort, relayPort, cloudPort] = [await freePort(), await freePort(), await freePort()];
    const passwords = folder.file('passwords');
    assert.equal(
      (await runProgram('mosquitto_passwd', ['-b', '-c', passwords, 'detector', 'secret'])).code,
      0,
    );
    const relayAccess = await folder.write('relay.acl', 'user site-north\ntopic readwrite north/#\n');
    const cloudAccess = await folder.write(
      'cloud.acl',
      'user relay\ntopic readwrite north/#\nuser site-north\ntopic read north/#\n',
    );
    await using _cloud = await DropInBroker.start(
      await folder.write('cloud.conf', mutual(cloudPort, cloudAccess)),
      cloudPort,
    );
    await using _relay = await DropInBroker.start(
      await folder.write(
        'relay.conf',
        `${mutual(relayPort, relayAccess)}connection cloud\naddress localhost:${cloudPort}\n${relayFile}topic north/# out 1\n`,
      ),
      relayPort,
    );
    await using _site = await DropInBroker.start(
      await folder.write(
        'site.conf',
        `${asOurselves}listener ${sitePort} 127.0.0.1\npassword_file ${passwords}\nconnection relay\naddress localhost:${relayPort}\n${siteFile}topic # out 1 outTopic/ north/outTopic/\n`,
      ),
      sitePort,
    );
    const asSite = ['--cafile', authority.caFile, '--cert', site.certificateFile, '--key', site.keyFile].map(
      String,
    );
    await using end = await Subscriber.start(
      '-h',
      'localhost',
      '-p',
      String(cloudPort),
      '-t',
      'north/#',
      '-q',
      '1',
      '-F',
      '%t %p',
      ...asSite,
    );
    const reading = '495-Gas Sensor IP:192.168.1.11 MAC:AD:18:14:7F:CF:5C Reading value=0';
    const detector = [
      '-p',
      String(sitePort),
      '-t',
      'outTopic/23.17.224.11/192.168.1.11',
      '-q',
      '1',
      '-m',
      reading,
    ];
    await publish(...detector, '-u', 'detector', '-P', 'secret');
    await end.received(`north/outTopic/23.17.224.11/192.168.1.11 ${reading}`);
    const stranger = await runProgram('mosquitto_pub', [...detector, '-u', 'detector', '-P', 'wrong']);
    assert.match(stranger.stderr, /[Rr]efused/);
    assert.notEqual(stranger.code, 0);
    const noCertificate = await runProgram('mosquitto_pub', [
      '-h',
      'localhost',
      '-p',
      String(relayPort),
      '--cafile',
      authority.caFile,
      '-t',
      'north/x',
      '-m',
      'x',
    ]);
    assert.notEqual(noCertificate.code, 0);
  });

  it('a relay with two tenants, each with an authority of its own', async () => {
    await using folder = await ConfFolder.create();
    await using ours = await TestAuthority.create('relay authority');
    const names = 'DNS:localhost,IP:127.0.0.1';
    const server = await ours.issue('relay server', names);
    const device = await ours.issue('device');
    const stack = new AsyncDisposableStack();
    await using _stack = stack;
    const relayPort = await freePort();
    let relay = `${asOurselves}listener ${relayPort} 127.0.0.1\ncafile ${ours.caFile}\ncertfile ${server.certificateFile}\nkeyfile ${server.keyFile}\nrequire_certificate true\nuse_identity_as_username true\n`;
    const ends = new Map<string, Subscriber>();
    for (const tenant of ['acme', 'blue']) {
      const authority = stack.use(await TestAuthority.create(`${tenant} authority`));
      const own = await authority.issue('cloud', names);
      const relayAtTenant = await authority.issue(`relay of ${tenant}`);
      const port = await freePort();
      const file = await folder.write(
        `${tenant}.conf`,
        `${asOurselves}listener ${port} 127.0.0.1\ncafile ${authority.caFile}\ncertfile ${own.certificateFile}\nkeyfile ${own.keyFile}\nrequire_certificate true\nuse_identity_as_username true\n`,
      );
      stack.use(await DropInBroker.start(file, port));
      relay += `connection ${tenant}\naddress localhost:${port}\nbridge_cafile ${authority.caFile}\nbridge_certfile ${relayAtTenant.certificateFile}\nbridge_keyfile ${relayAtTenant.keyFile}\ntopic ${tenant}/# out 2\nremote_clientid relay-${tenant}\n`;
      const watcher = await authority.issue(`watcher of ${tenant}`);
      const tls = ['--cafile', authority.caFile, '--cert', watcher.certificateFile, '--key', watcher.keyFile];
      const to = ['-h', 'localhost', '-p', String(port), '-t', '#', '-q', '2', '-F', '%t %p'];
      ends.set(tenant, stack.use(await Subscriber.start(...to, ...tls.map(String))));
    }
    await using _relay = await DropInBroker.start(await folder.write('relay.conf', relay), relayPort);
    const tls = ['--cafile', ours.caFile, '--cert', device.certificateFile, '--key', device.keyFile].map(
      String,
    );
    const to = ['-h', 'localhost', '-p', String(relayPort), ...tls, '-q', '2'];
    for (const message of ['one', 'two']) {
      for (const tenant of ends.keys()) await publish(...to, '-t', `${tenant}/x`, '-m', message);
    }
    for (const [tenant, end] of ends) {
      await end.received(`${tenant}/x two`);
      assert.deepEqual(end.messages, [`${tenant}/x one`, `${tenant}/x two`]);
    }
  });
});

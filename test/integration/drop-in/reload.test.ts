/** SIGHUP: everything new holds at once while clients stay connected, and nothing of it where one file is wrong. */
import assert from 'node:assert/strict';
import { copyFile, readFile, unlink } from 'node:fs/promises';
import { connect } from 'node:tls';
import { describe, it } from 'node:test';
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

/** A broker with its files in a folder, and a client that stays connected. */
async function reload(broker: DropInBroker): Promise<string> {
  const from = broker.stderr.length;
  broker.kill('SIGHUP');
  await broker.logged(/: reloaded|not reloaded/, from);
  return broker.stderr.slice(from);
}

const publish = (port: number, words: string): Promise<Outcome> =>
  runProgram('mosquitto_pub', `-p ${port} ${words}`.split(' '));

async function addUser(file: string, name: string, password: string): Promise<void> {
  const { code, stderr } = await runProgram('mosquitto_passwd', ['-b', file, name, password]);
  assert.equal(code, 0, stderr);
}

/** Serial number of the certificate that a TLS listener shows. */
function serialAt(port: number, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', servername: 'localhost', ca }, () => {
      resolve(socket.getPeerCertificate().serialNumber);
      socket.destroy();
    });
    socket.once('error', reject);
  });
}

/** A list of revoked certificates, signed by the authority. */
async function revocationList(authority: TestAuthority, revoked: readonly string[]): Promise<string> {
  const openssl = 'openssl ca -config ca.conf -cert ca.pem -keyfile ca.key';
  const settings = 'database=index.txt\\ncrlnumber=crlnumber\\ndefault_md=sha256\\ndefault_crl_days=2\\n';
  const script = [
    `cd ${authority.folder}`,
    `: > index.txt && echo 01 > crlnumber && printf '[ca]\\ndefault_ca=d\\n[d]\\n${settings}' > ca.conf`,
    ...revoked.map((file) => `${openssl} -revoke ${file}`),
    `${openssl} -gencrl -out ca.crl`,
  ];
  const { code, stderr } = await runProgram('sh', ['-c', script.join(' && ')]);
  assert.equal(code, 0, stderr);
  return `${authority.folder}/ca.crl`;
}

describe('reload by SIGHUP', { skip: skipWithoutMosquitto }, () => {
  it('takes new users and rules; those who may stay stay, those who may not go', async () => {
    await using folder = await ConfFolder.create();
    const port = await freePort();
    const passwords = await folder.write('passwords', '');
    await addUser(passwords, 'anna', 'a');
    await addUser(passwords, 'bert', 'b');
    const rules = await folder.write(
      'rules',
      'user anna\ntopic readwrite gas/#\nuser bert\ntopic read gas/#\n',
    );
    const file = await folder.write(
      'm.conf',
      `${asOurselves}listener ${port} 127.0.0.1\npassword_file ${passwords}\nacl_file ${rules}\n`,
    );
    await using broker = await DropInBroker.start(file, port);
    await using anna = await Subscriber.start(...`-p ${port} -u anna -P a -t gas/# -V 5 -i anna`.split(' '));
    await using bert = await Subscriber.start(...`-p ${port} -u bert -P b -t gas/# -V 5 -i bert`.split(' '));
    assert.notEqual((await publish(port, '-u cleo -P c -t gas/1 -m x')).code, 0);

    await addUser(passwords, 'cleo', 'c');
    await runProgram('mosquitto_passwd', ['-D', passwords, 'bert']);
    await folder.write('rules', 'user anna\ntopic read gas/open/#\nuser cleo\ntopic readwrite gas/#\n');
    assert.match(await reload(broker), /: reloaded/);

    await eventually('bert to be told', () => (/DISCONNECT \(135\)/.test(bert.stdout) ? true : undefined));
    assert.equal((await publish(port, '-u cleo -P c -t gas/closed -m closed -q 1')).code, 0);
    assert.equal((await publish(port, '-u cleo -P c -t gas/open/1 -m open -q 1')).code, 0);
    await anna.received('open');
    assert.deepEqual(anna.messages, ['open'], 'what she has subscribed is judged by the new rules');
    assert.doesNotMatch(broker.stderr, /anna.*disconnected/);
  });

  it('takes renewed certificates and a list of revoked ones; connections go on', async () => {
    await using folder = await ConfFolder.create();
    await using authority = await TestAuthority.create();
    const names = 'DNS:localhost,IP:127.0.0.1';
    const first = await authority.issue('first', names);
    const client = await authority.issue('client');
    const [certificate, key] = [folder.file('server.pem'), folder.file('server.key')];
    await copyFile(first.certificateFile!, certificate);
    await copyFile(first.keyFile!, key);
    const [port, open] = [await freePort(), await freePort()];
    const conf = (more = ''): string =>
      `${asOurselves}listener ${open} 127.0.0.1\ncertfile ${certificate}\nkeyfile ${key}\nallow_anonymous true\n` +
      `listener ${port} 127.0.0.1\ncertfile ${certificate}\nkeyfile ${key}\ncafile ${authority.caFile}\n` +
      `require_certificate true\nuse_identity_as_username true\n${more}`;
    const file = await folder.write('m.conf', conf());
    await using broker = await DropInBroker.start(file, port);
    const ca = await readFile(authority.caFile, 'utf8');
    const before = await serialAt(open, ca);
    const tls = `-h localhost --cafile ${authority.caFile}`;
    const asClient = `${tls} --cert ${client.certificateFile} --key ${client.keyFile}`;
    await using stays = await Subscriber.start(...`-p ${open} ${tls} -t x`.split(' '));

    const second = await authority.issue('second', names);
    await copyFile(second.certificateFile!, certificate);
    await copyFile(second.keyFile!, key);
    assert.match(await reload(broker), /: reloaded/);
    assert.notEqual(await serialAt(open, ca), before);
    assert.equal((await publish(port, `${asClient} -t x -m x`)).code, 0);

    await using revoked = await Subscriber.start(...`-p ${port} ${asClient} -t x -q 1`.split(' '));
    const crl = await revocationList(authority, [client.certificateFile!]);
    await folder.write('m.conf', conf(`crlfile ${crl}\n`));
    assert.match(await reload(broker), /: reloaded/);
    assert.notEqual(
      (await publish(port, `${asClient} -t x -m x -q 1`)).code,
      0,
      'the certificate is revoked',
    );
    assert.equal((await publish(open, `${tls} -t x -m still -q 1`)).code, 0);
    await stays.received('still');
    await revoked.received('still'); // what is open goes on; it cannot come back
  });

  it('opens new listeners and closes those that are gone, with who is there', async () => {
    await using folder = await ConfFolder.create();
    const [kept, old, fresh] = [await freePort(), await freePort(), await freePort()];
    const socket = folder.file('broker.sock');
    const conf = (...ports: number[]): string =>
      asOurselves + ports.map((port) => `listener ${port} 127.0.0.1\nallow_anonymous true\n`).join('');
    const file = await folder.write('m.conf', conf(kept, old));
    await using broker = await DropInBroker.start(file, old);
    await using stays = await Subscriber.start(...`-p ${kept} -t x`.split(' '));
    await using goes = await Subscriber.start(...`-p ${old} -t x -V 5`.split(' '));
    await folder.write('m.conf', `${conf(kept, fresh)}listener 0 ${socket}\nallow_anonymous true\n`);
    assert.match(await reload(broker), /: reloaded/);
    await eventually('the goodbye', () => (/DISCONNECT \(152\)/.test(goes.stdout) ? true : undefined));
    assert.equal(await isOpen(old), false);
    assert.equal(await isOpen(socket), true);
    assert.equal((await publish(fresh, '-t x -m there -q 1')).code, 0);
    await stays.received('there');
  });

  it('takes new bounds, log types and a new bridge', async () => {
    await using folder = await ConfFolder.create();
    const [port, far] = [await freePort(), await freePort()];
    const base = `${asOurselves}listener ${port} 127.0.0.1\nallow_anonymous true\n`;
    await using _far = await DropInBroker.start(
      await folder.write('far.conf', `${asOurselves}listener ${far} 127.0.0.1\nallow_anonymous true\n`),
      far,
    );
    const file = await folder.write('m.conf', base);
    await using broker = await DropInBroker.start(file, port);
    await using end = await Subscriber.start(...`-p ${far} -t # -q 1 -F %t`.split(' '));
    const large = 'x'.repeat(3000);
    assert.match((await publish(port, `-t a -m ${large} -q 1 -V 5 -d`)).stdout, /PUBLISH/);
    const bridge = (topic: string): string =>
      `connection far\naddress 127.0.0.1:${far}\ntopic ${topic} out 1\nnotifications false\nbridge_reload_type immediate\n`;
    await folder.write('m.conf', `${base}max_packet_size 2000\nlog_type all\n${bridge('one/#')}`);
    assert.match(await reload(broker), /: reloaded/);
    // mosquitto_pub has read the bound in CONNACK and does not even send it.
    assert.doesNotMatch((await publish(port, `-t a -m ${large} -q 1 -V 5 -d`)).stdout, /PUBLISH/);
    assert.equal((await publish(port, '-t one/a -m x -q 1 -i shown')).code, 0);
    await broker.logged(/Received PUBLISH from shown/);
    await end.received('one/a');

    await folder.write('m.conf', `${base}${bridge('two/#')}`);
    const from = broker.stderr.length;
    assert.match(await reload(broker), /: reloaded/);
    await broker.logged('connected to', from);
    assert.equal((await publish(port, '-t one/b -m x -q 1')).code, 0);
    assert.equal((await publish(port, '-t two/b -m x -q 1 -i hidden')).code, 0);
    await end.received('two/b');
    assert.deepEqual(end.messages, ['one/a', 'two/b']);
    assert.doesNotMatch(broker.stderr.slice(from), /Received PUBLISH from hidden/);

    await folder.write('m.conf', base);
    assert.match(await reload(broker), /: reloaded/);
    assert.equal((await publish(port, '-t two/c -m x -q 1')).code, 0);
    assert.equal((await publish(far, '-t last -m x -q 1')).code, 0);
    await end.received('last');
    assert.deepEqual(end.messages, ['one/a', 'two/b', 'last']);
  });

  it('names what changes only at the next start, each time', async () => {
    await using folder = await ConfFolder.create();
    const port = await freePort();
    const base = `${asOurselves}listener ${port} 127.0.0.1\nallow_anonymous true\n`;
    const file = await folder.write('m.conf', base);
    await using broker = await DropInBroker.start(file, port);
    await folder.write('m.conf', `${base}pid_file ${folder.file('pid')}\nsys_interval 3\n`);
    for (const _ of [1, 2]) {
      const said = await reload(broker);
      assert.match(said, /pid_file changes at the next start/);
      assert.match(said, /sys_interval changes at the next start/);
    }
  });

  it('changes nothing where one thing is wrong, says which, and goes on', async () => {
    await using folder = await ConfFolder.create();
    await using authority = await TestAuthority.create();
    const names = 'DNS:localhost,IP:127.0.0.1';
    const server = await authority.issue('server', names);
    const other = await authority.issue('other', names);
    const [port, tlsPort, pskPort, taken, fresh] = await Promise.all([1, 2, 3, 4, 5].map(() => freePort()));
    assert.ok(port && tlsPort && pskPort && taken && fresh);
    const files = {
      passwords: await folder.write('passwords', ''),
      rules: await folder.write('rules', 'user anna\ntopic readwrite gas/#\n'),
      psk: await folder.write('psk', 'tank:c0ffee\n'),
    };
    await addUser(files.passwords, 'anna', 'a');
    for (const [name, from] of [
      ['crl', await revocationList(authority, [])],
      ['cert', server.certificateFile],
      ['key', server.keyFile],
      ['ca', authority.caFile],
    ] as const)
      await copyFile(from!, folder.file(name));
    const base = `${asOurselves}listener ${port} 127.0.0.1\npassword_file ${files.passwords}\nacl_file ${files.rules}\n`;
    const tls = `listener ${tlsPort} 127.0.0.1\ncertfile ${folder.file('cert')}\nkeyfile ${folder.file('key')}\ncafile ${folder.file('ca')}\ncrlfile ${folder.file('crl')}\nrequire_certificate false\n`;
    const psk = `listener ${pskPort} 127.0.0.1\npsk_file ${files.psk}\npsk_hint h\n`;
    await folder.write('conf.d/more.conf', 'sys_interval 10\n');
    const good = `per_listener_settings true\ninclude_dir ${folder.file('conf.d')}\n${base}${tls}allow_anonymous true\n${psk}allow_anonymous true\n`;
    const conf = await folder.write('m.conf', good);
    await using broker = await DropInBroker.start(conf, port);
    await using anna = await Subscriber.start(...`-p ${port} -u anna -P a -t gas/# -q 1`.split(' '));
    const stranger = (await DropInBroker.start(
      await folder.write('o.conf', `${asOurselves}listener ${taken} 127.0.0.1\n`),
      taken,
    )) satisfies AsyncDisposable;
    await using _stranger = stranger;
    const ca = await readFile(authority.caFile, 'utf8');
    const serial = await serialAt(tlsPort, ca);

    /** With each fault comes a good change, which must not be seen either. */
    const grown = `${good}listener ${fresh} 127.0.0.1\nallow_anonymous true\n`;
    const replaced = async (name: string, text: string | null): Promise<() => Promise<unknown>> => {
      const before = await folder.read(name);
      if (text === null) await unlink(folder.file(name));
      else await folder.write(name, text);
      return () => folder.write(name, before);
    };
    const faults: readonly (readonly [
      what: string,
      set: () => Promise<() => Promise<unknown>>,
      line: RegExp,
    ])[] = [
      ['keyword', () => replaced('m.conf', `${grown}no_such_keyword 1\n`), /m\.conf:\d+: .*no_such_keyword/],
      ['missing file', () => replaced('m.conf', null), /m\.conf cannot be read/],
      ['password file', () => replaced('passwords', 'anna:plain\n'), /passwords:1: /],
      ['no password file', () => replaced('passwords', null), /passwords cannot be read/],
      ['rules', () => replaced('rules', 'user anna\ntopic sometimes gas/#\n'), /rules:2: /],
      ['certificate', () => replaced('cert', 'x'), /\/cert\b/],
      [
        'key of another',
        async () => replaced('key', await readFile(other.keyFile!, 'utf8')),
        /\/key does not belong/,
      ],
      [
        'authority',
        () => replaced('ca', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'),
        /\/ca\b/,
      ],
      [
        'revoked',
        () => replaced('crl', '-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n'),
        /\/crl\b/,
      ],
      ['included', () => replaced('conf.d/more.conf', 'sys_interval soon\n'), /more\.conf:1: .*sys_interval/],
      ['keys', () => replaced('psk', 'tank:no hex\n'), /psk:1: |\/psk\b/],
      [
        'port',
        () => replaced('m.conf', `${grown}listener ${taken} 127.0.0.1\n`),
        new RegExp(`${taken} is taken`),
      ],
      [
        'kind of a listener',
        () =>
          replaced(
            'm.conf',
            grown.replace(
              `listener ${tlsPort} 127.0.0.1\n`,
              `listener ${tlsPort} 127.0.0.1\nprotocol websockets\n`,
            ),
          ),
        /needs a restart/,
      ],
      [
        'log',
        () => replaced('m.conf', `log_dest file ${folder.file('no/such')}\n${grown}`),
        /no\/such cannot be written/,
      ],
      [
        'bridge',
        () =>
          replaced(
            'm.conf',
            `${grown}connection b\naddress 127.0.0.1:${taken}\ntopic # out\nbridge_cafile ${folder.file('none.pem')}\n`,
          ),
        /none\.pem/,
      ],
    ];
    for (const [what, set, line] of faults) {
      const undo = await set();
      const said = await reload(broker);
      await undo();
      assert.match(said, /^\d{10}: Error: not reloaded, everything stays as it was: /m, what);
      assert.match(said, line, what);
      assert.doesNotMatch(said, /: reloaded|BUG|\n\s+at /, what);
      assert.equal(await isOpen(fresh), false, what);
      assert.equal(await serialAt(tlsPort, ca), serial, what);
      const { code, stderr } = await publish(
        port,
        `-u anna -P a -t gas/1 -q 1 -m ${what.replaceAll(' ', '-')}`,
      );
      assert.equal(code, 0, `${what}: ${stderr}`);
      await anna.received(what.replaceAll(' ', '-'));
      const keyed = await publish(pskPort, '--psk-identity tank --psk c0ffee -t other -m x -q 1');
      assert.equal(keyed.code, 0, `${what}: ${keyed.stderr}`);
    }
    await folder.write('m.conf', grown);
    assert.match(await reload(broker), /: reloaded/);
    assert.equal(await isOpen(fresh), true);
    assert.equal(anna.messages.length, faults.length, 'she was connected all the time');
  });

  it('loses and doubles nothing of a stream that runs through many reloads', async () => {
    await using folder = await ConfFolder.create();
    const [port, other] = [await freePort(), await freePort()];
    const base = `${asOurselves}listener ${port} 127.0.0.1\nallow_anonymous true\n`;
    const file = await folder.write('m.conf', base);
    await using broker = await DropInBroker.start(file, port);
    await using end = await Subscriber.start(...`-p ${port} -t stream -q 2 -i end`.split(' '));
    const count = 3000;
    const script = `seq 1 ${count} | mosquitto_pub -p ${port} -t stream -q 2 -l -i source`;
    const published = runProgram('sh', ['-c', script], 60_000);
    const variants = [
      `${base}log_type all\n`,
      `${base}listener ${other} 127.0.0.1\nallow_anonymous true\nmax_inflight_messages 5\n`,
      'no such keyword\n',
      base,
    ];
    for (let i = 0; i < 12; i++) {
      await folder.write('m.conf', variants[i % variants.length]!);
      await reload(broker);
    }
    assert.equal((await published).code, 0);
    await end.received(String(count));
    assert.deepEqual(
      end.messages,
      Array.from({ length: count }, (_, index) => String(index + 1)),
    );
  });

  it('ends cleanly in the middle of a reload', async () => {
    await using folder = await ConfFolder.create();
    for (let delayMs = 0; delayMs < 10; delayMs += 2) {
      const [port, fresh] = [await freePort(), await freePort()];
      const base = `${asOurselves}listener ${port} 127.0.0.1\nallow_anonymous true\n`;
      const file = await folder.write('m.conf', base);
      await using broker = await DropInBroker.start(file, port);
      await broker.logged('running');
      await folder.write('m.conf', `${base}listener ${fresh} 127.0.0.1\nallow_anonymous true\n`);
      broker.kill('SIGHUP');
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      const { code } = await broker.stop();
      assert.equal(code, 0, broker.stderr);
      assert.equal((await isOpen(port)) || (await isOpen(fresh)), false);
    }
  });
});

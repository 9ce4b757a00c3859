/**
 * One relay, two tenants: each has a broker, an authority and credentials of its own, and nothing but its own messages
 * reaches it. The same from TOML and from mosquitto.conf, every broker a process.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TlsFilesConfig } from '#config';
import { eventually, freePort, runProgram } from '../../helpers/demo-process.ts';
import { TestAuthority } from '../../helpers/test-certificates.ts';
import {
  asOurselves,
  ConfFolder,
  DropInBroker,
  skipWithoutMosquitto,
  Subscriber,
} from '../drop-in/drop-in-broker.ts';
import { mutualConf, mutualToml, publish, serverNames, tlsWords } from './bridge-programs.ts';

interface Tenant {
  readonly name: string;
  readonly port: number;
  readonly authority: TestAuthority;
  readonly server: TlsFilesConfig;
  /** What the relay shows to this tenant's broker. */
  readonly relay: TlsFilesConfig;
  readonly password: string;
}

/** What stands in the files of one format. */
interface Format {
  readonly file: string;
  readonly program: 'davylamp' | 'relay';
  cloud(tenant: Tenant, passwords: string): string;
  relay(port: number, sites: TestAuthority, server: TlsFilesConfig, tenants: readonly Tenant[]): string;
}

const toml: Format = {
  file: 'toml',
  program: 'relay',
  cloud: ({ name, port, authority, server }, passwords) =>
    `role = "relay"\nname = "cloud-${name}"\n${mutualToml('bridges', port, authority, server)}password_file = "${passwords}"\nrequire_password = true\n`,
  relay: (port, sites, server, tenants) => {
    const bridges = tenants.map(
      (tenant) => `[[bridge]]
name = "${tenant.name}"
host = "localhost"
port = ${tenant.port}
client_id = "relay-${tenant.name}"
username = "relay of ${tenant.name}"
password_file = "${tenant.name}.password"
retry_maximum = "1s"
ca_file = "${tenant.relay.caFile}"
certificate_file = "${tenant.relay.certificateFile}"
key_file = "${tenant.relay.keyFile}"
[[bridge.topic]]
filter = "#"
local_prefix = "davy/v1/${tenant.name}/"
remote_prefix = "davy/v1/${tenant.name}/"
direction = "both"
qos = 2
`,
    );
    return `role = "relay"\nname = "relay"\n${mutualToml('sites', port, sites, server)}identity_from_certificate = true\n${bridges.join('')}`;
  },
};

const conf: Format = {
  file: 'conf',
  program: 'davylamp',
  cloud: ({ port, authority, server }, passwords) =>
    `${asOurselves}${mutualConf(port, authority, server).replace('use_identity_as_username true\n', '')}password_file ${passwords}\n`,
  relay: (port, sites, server, tenants) => {
    const bridges = tenants.map(
      (tenant) => `connection ${tenant.name}
address localhost:${tenant.port}
remote_clientid relay-${tenant.name}
remote_username relay of ${tenant.name}
remote_password ${tenant.password}
restart_timeout 1
bridge_protocol_version mqttv50
bridge_cafile ${tenant.relay.caFile}
bridge_certfile ${tenant.relay.certificateFile}
bridge_keyfile ${tenant.relay.keyFile}
topic # both 2 davy/v1/${tenant.name}/ davy/v1/${tenant.name}/
`,
    );
    return `${asOurselves}${mutualConf(port, sites, server)}${bridges.join('')}`;
  },
};

/** A relay with tenants at work, and what each of their brokers gets. */
class RelaySetUp implements AsyncDisposable {
  #stack = new AsyncDisposableStack();
  readonly tenants: Tenant[] = [];
  readonly ends = new Map<string, Subscriber>();
  sites!: TestAuthority;
  port = 0;

  static async start(format: Format): Promise<RelaySetUp> {
    const setUp = new RelaySetUp();
    await using stack = new AsyncDisposableStack();
    const folder = stack.use(await ConfFolder.create());
    setUp.sites = stack.use(await TestAuthority.create('authority of the sites'));
    for (const name of ['acme', 'blue']) {
      const authority = stack.use(await TestAuthority.create(`authority of ${name}`));
      const tenant: Tenant = {
        name,
        port: await freePort(),
        authority,
        server: await authority.issue('cloud', serverNames),
        relay: await authority.issue(`relay of ${name}`),
        password: `secret of ${name}`,
      };
      setUp.tenants.push(tenant);
      await folder.write(`relay/${name}.password`, `${tenant.password}\n`);
      const passwords = await folder.write(`${name}.passwords`, '');
      for (const [user, password] of [
        [`relay of ${name}`, tenant.password],
        ['watcher', 'w'],
      ] as const)
        await runProgram('mosquitto_passwd', ['-b', passwords, user, password]);
      const file = await folder.write(`${name}/cloud.${format.file}`, format.cloud(tenant, passwords));
      stack.use(await DropInBroker.start(file, tenant.port, { program: format.program }));
      const words = tlsWords(await authority.issue('watcher'));
      const to = ['-p', String(tenant.port), '-u', 'watcher', '-P', 'w', '-t', '#', '-q', '2', '-F', '%t %p'];
      setUp.ends.set(name, stack.use(await Subscriber.start(...words, ...to)));
    }
    setUp.port = await freePort();
    const server = await setUp.sites.issue('relay', serverNames);
    const text = format.relay(setUp.port, setUp.sites, server, setUp.tenants);
    const file = await folder.write(`relay/relay.${format.file}`, text);
    stack.use(await DropInBroker.start(file, setUp.port, { program: format.program }));
    setUp.#stack = stack.move();
    return setUp;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

/** What a relay gets and what belongs to nobody, or to somebody else: it must not come out anywhere. */
const strays = [
  'davy/v1/acme',
  'davy/v1/acmeblue/s/d/reading',
  'davy/v1/Acme/s/d/reading',
  'davy/v1/acme2/s/d/reading',
  'davy/v1//acme/s',
  'davy/v2/acme/s/d/reading',
  'acme/s/d/reading',
  'outTopic/1.2.3.4/5.6.7.8',
  '/davy/v1/acme/s/d/reading',
  'x/davy/v1/blue/s/d/reading',
];

for (const format of [toml, conf]) {
  describe(`a relay with two tenants, from .${format.file} files`, { skip: skipWithoutMosquitto }, () => {
    it('each tenant gets its own messages, once and in order, and nothing else', async () => {
      await using setUp = await RelaySetUp.start(format);
      const site = tlsWords(await setUp.sites.issue('site'));
      const to = [...site, '-p', String(setUp.port)];
      for (let index = 0; index < 5; index++) {
        for (const { name } of setUp.tenants)
          await publish(...to, '-q', '2', '-t', `davy/v1/${name}/s/d/reading`, '-m', `${name} ${index}`);
        for (const stray of strays.slice(index * 2, index * 2 + 2))
          await publish(...to, '-q', '1', '-r', '-t', stray, '-m', 'stray');
      }
      for (const { name } of setUp.tenants)
        await publish(...to, '-q', '2', '-t', `davy/v1/${name}/last`, '-m', 'last');
      for (const { name } of setUp.tenants) {
        const end = setUp.ends.get(name)!;
        await end.received(`davy/v1/${name}/last last`);
        const expected = [0, 1, 2, 3, 4].map((index) => `davy/v1/${name}/s/d/reading ${name} ${index}`);
        assert.deepEqual(end.messages, [...expected, `davy/v1/${name}/last last`]);
      }
    });

    it('a tenant sends to its own topics alone; what it sends reaches no other tenant', async () => {
      await using setUp = await RelaySetUp.start(format);
      const [acme, blue] = setUp.tenants as [Tenant, Tenant];
      await using site = await Subscriber.start(
        ...tlsWords(await setUp.sites.issue('watcher')),
        '-p',
        String(setUp.port),
        ...'-t # -q 2 -F'.split(' '),
        '%t %p',
      );
      const words = tlsWords(await acme.authority.issue('operator'));
      const to = [...words, '-p', String(acme.port), '-u', 'watcher', '-P', 'w', '-q', '2'];
      await eventually('the way from the tenant to the relay', async () => {
        await publish(...to, '-t', `davy/v1/${acme.name}/probe`, '-m', 'probe');
        return site.messages.length > 0 ? true : undefined;
      });
      await publish(...to, '-t', `davy/v1/${blue.name}/s/d/command`, '-m', 'of another tenant');
      await publish(...to, '-t', 'outTopic/1.2.3.4/5.6.7.8', '-m', 'stray');
      await publish(...to, '-t', `davy/v1/${acme.name}/s/d/command`, '-m', 'its own');
      await site.received(`davy/v1/${acme.name}/s/d/command its own`);
      const arrived = site.messages.filter((message) => message !== `davy/v1/${acme.name}/probe probe`);
      assert.deepEqual(arrived, [`davy/v1/${acme.name}/s/d/command its own`]);
      // Behind it, by the relay's way to the other tenant: what had leaked would be before this.
      const siteWords = tlsWords(await setUp.sites.issue('site'));
      const last = `davy/v1/${blue.name}/last`;
      await publish(...siteWords, '-p', String(setUp.port), '-q', '2', '-t', last, '-m', 'last');
      const end = setUp.ends.get(blue.name)!;
      await end.received(`${last} last`);
      assert.deepEqual(end.messages, [`${last} last`]);
    });

    it('nobody gets in with a certificate of another authority, or none', async () => {
      await using setUp = await RelaySetUp.start(format);
      const [acme, blue] = setUp.tenants as [Tenant, Tenant];
      const message = ['-t', 'davy/v1/acme/s/d/reading', '-m', 'forged', '-q', '1'];
      const foreign: readonly (readonly [number, TlsFilesConfig, string])[] = [
        [acme.port, await blue.authority.issue('intruder'), acme.authority.caFile],
        [acme.port, await setUp.sites.issue('intruder'), acme.authority.caFile],
        [setUp.port, await acme.authority.issue('intruder'), setUp.sites.caFile],
      ];
      for (const [port, files, caFile] of foreign) {
        const as = ['-p', String(port), '-u', 'watcher', '-P', 'w'];
        const { code } = await runProgram('mosquitto_pub', [
          ...tlsWords({ ...files, caFile }),
          ...as,
          ...message,
        ]);
        assert.notEqual(code, 0);
        const bare = ['-h', 'localhost', '--cafile', caFile];
        assert.notEqual((await runProgram('mosquitto_pub', [...bare, ...as, ...message])).code, 0);
      }
      const own = tlsWords(await acme.authority.issue('operator'));
      const as = ['-p', String(acme.port), '-u', 'watcher', '-P', 'w', '-q', '1'];
      await publish(...own, ...as, '-t', 'davy/v1/acme/last', '-m', 'last');
      const end = setUp.ends.get('acme')!;
      await end.received('davy/v1/acme/last last');
      assert.deepEqual(end.messages, ['davy/v1/acme/last last']);
    });
  });
}

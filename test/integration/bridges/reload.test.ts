/** Renewed certificates and changed configurations of bridges: at SIGHUP, at once or with the next link. */
import assert from 'node:assert/strict';
import { copyFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import type { TlsFilesConfig } from '#config';
import { eventually, freePort } from '../../helpers/demo-process.ts';
import { TestAuthority } from '../../helpers/test-certificates.ts';
import {
  asOurselves,
  ConfFolder,
  DropInBroker,
  skipWithoutMosquitto,
  Subscriber,
} from '../drop-in/drop-in-broker.ts';
import { mutualConf, publish, serverNames, tlsWords } from './bridge-programs.ts';

const unused: TlsFilesConfig = { caFile: null, certificateFile: null, keyFile: null };

/** A far broker that asks for certificates, and a near one with a bridge to it. */
class Pair implements AsyncDisposable {
  readonly folder: ConfFolder;
  readonly authority: TestAuthority;
  readonly nearPort: number;
  readonly farPort: number;
  #stack: AsyncDisposableStack;
  #reloadType = '';
  near!: DropInBroker;
  far!: DropInBroker;

  private constructor(
    stack: AsyncDisposableStack,
    folder: ConfFolder,
    authority: TestAuthority,
    ports: [number, number],
  ) {
    this.#stack = stack;
    this.folder = folder;
    this.authority = authority;
    [this.nearPort, this.farPort] = ports;
  }

  static async start(reloadType: 'immediate' | 'lazy'): Promise<Pair> {
    await using stack = new AsyncDisposableStack();
    const folder = stack.use(await ConfFolder.create());
    const authority = stack.use(await TestAuthority.create());
    const pair = new Pair(stack, folder, authority, [await freePort(), await freePort()]);
    pair.#reloadType = reloadType;
    const server = await authority.issue('far', serverNames);
    const revoked = await authority.revoke([]);
    const far = mutualConf(pair.farPort, authority, server);
    await folder.write('far.conf', `${asOurselves}${far}crlfile ${revoked}\n`);
    await pair.renew();
    await copyFile(folder.file('link.pem'), folder.file('first.pem'));
    await pair.configure('gas/#');
    await pair.startFar();
    pair.near = stack.use(await DropInBroker.start(folder.file('near.conf'), pair.nearPort));
    pair.#stack = stack.move();
    return pair;
  }

  async startFar(): Promise<void> {
    this.far = this.#stack.use(await DropInBroker.start(this.folder.file('far.conf'), this.farPort));
  }

  /** The bridge's files hold another certificate of the same name from now on. */
  async renew(): Promise<void> {
    const { certificateFile, keyFile } = await this.authority.issue('link');
    await copyFile(certificateFile ?? '', this.folder.file('link.pem'));
    await copyFile(keyFile ?? '', this.folder.file('link.key'));
  }

  /** The far broker begins anew, and takes the certificate that the bridge had at first no more. */
  async revokeFirst(): Promise<void> {
    await this.far.stop();
    await this.authority.revoke([{ ...unused, certificateFile: this.folder.file('first.pem') }]);
    await this.startFar();
  }

  async configure(filter: string): Promise<void> {
    const { folder, authority, nearPort, farPort } = this;
    await folder.write(
      'near.conf',
      `${asOurselves}listener ${nearPort} 127.0.0.1
allow_anonymous true
connection far
address localhost:${farPort}
bridge_protocol_version mqttv50
bridge_reload_type ${this.#reloadType}
remote_clientid link
restart_timeout 1
bridge_cafile ${authority.caFile}
bridge_certfile ${folder.file('link.pem')}
bridge_keyfile ${folder.file('link.key')}
topic ${filter} out 1
`,
    );
  }

  async reload(): Promise<void> {
    const from = this.near.stderr.length;
    this.near.kill('SIGHUP');
    await this.near.logged(/: reloaded|not reloaded/, from);
  }

  /** Waits until the bridge has signed in so often at the far broker that runs now. */
  untilConnected(times: number): Promise<true> {
    return eventually(`connection ${times} of the bridge`, () =>
      this.connects === times ? true : undefined,
    );
  }

  /** Everything that reaches the far broker. */
  async watch(): Promise<Subscriber> {
    const words = tlsWords(await this.authority.issue('watcher'));
    return Subscriber.start(...words, ...`-p ${this.farPort} -t # -q 1`.split(' '));
  }

  publish(topic: string, message: string): Promise<void> {
    return publish('-p', String(this.nearPort), '-q', '1', '-t', topic, '-m', message);
  }

  get connects(): number {
    return [...this.far.stderr.matchAll(/New client connected .* as link \(/g)].length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

describe('reload of bridges', { skip: skipWithoutMosquitto }, () => {
  it('immediate: a renewed certificate makes the link anew, one that is the same leaves it alone', async () => {
    await using pair = await Pair.start('immediate');
    await pair.untilConnected(1);
    await using watcher = await pair.watch();
    await pair.reload();
    await pair.publish('gas/1', 'one');
    await watcher.received('one');
    assert.equal(pair.connects, 1);
    await pair.renew();
    await pair.reload();
    await pair.untilConnected(2);
    await pair.publish('gas/1', 'two');
    await watcher.received('two');
    assert.deepEqual(watcher.messages, ['one', 'two']);
    await pair.revokeFirst();
    await pair.untilConnected(1);
  });

  it('a certificate that does not fit its key changes nothing', async () => {
    await using pair = await Pair.start('immediate');
    await pair.untilConnected(1);
    const other = await pair.authority.issue('other');
    await copyFile(other.keyFile ?? '', pair.folder.file('link.key'));
    const from = pair.near.stderr.length;
    await pair.reload();
    assert.match(pair.near.stderr.slice(from), /not reloaded.*bridge far: .*link\.(key|pem)/);
    await using watcher = await pair.watch();
    await pair.publish('gas/1', 'still');
    await watcher.received('still');
    assert.equal(pair.connects, 1);
  });

  it('lazy: certificate and configuration are used when the link is lost the next time', async () => {
    await using pair = await Pair.start('lazy');
    await pair.untilConnected(1);
    await pair.renew();
    await pair.configure('+/#');
    await pair.reload();
    await using watcher = await pair.watch();
    for (const topic of ['gas', 'fire', 'gas/last']) await pair.publish(topic, topic);
    await watcher.received('gas/last');
    assert.deepEqual(watcher.messages, ['gas', 'gas/last'], 'as before');
    assert.equal(pair.connects, 1);
    await pair.revokeFirst();
    await pair.untilConnected(1);
    await using after = await pair.watch();
    await pair.publish('fire', 'fire');
    await after.received('fire');
  });
});

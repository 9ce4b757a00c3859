/** pub, sub and rr against both brokers, over every carrier and in every version of MQTT. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ClientBroker } from '../../clients/client-broker.ts';
import { freePort } from '../../helpers/demo-process.ts';
import { MosquittoBroker, skipWithoutMosquitto } from '../../clients/mosquitto-broker.ts';
import { TestAuthority } from '../../helpers/test-certificates.ts';
import { ours, Program } from './programs.ts';

/** A broker under test: its name, and the words that lead to it by each carrier. */
interface Place {
  readonly name: string;
  readonly ways: ReadonlyMap<string, readonly string[]>;
}

const versions = ['mqttv31', 'mqttv311', 'mqttv5'] as const;
const stack = new AsyncDisposableStack();
const places: Place[] = [];
let folder = '';

before(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'davylamp-tools-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const broker = stack.use(await ClientBroker.start());
  const { caFile } = broker.authority;
  places.push({
    name: 'Davylamp',
    ways: new Map([
      ['tcp', ['-h', '127.0.0.1', '-p', String(broker.port('tcp'))]],
      ['tls', ['-h', 'localhost', '-p', String(broker.port('tls')), '--cafile', caFile]],
      ['ws', ['-h', '127.0.0.1', '-p', String(broker.port('ws')), '--ws']],
      ['wss', ['-h', 'localhost', '-p', String(broker.port('wss')), '--ws', '--cafile', caFile]],
    ]),
  });
  if (skipWithoutMosquitto === false) places.push(await startMosquitto());
});
after(() => stack.disposeAsync());

async function startMosquitto(): Promise<Place> {
  const authority = stack.use(await TestAuthority.create());
  const files = await authority.issue('broker', 'DNS:localhost,IP:127.0.0.1');
  const [tls, webSocket, psk] = [await freePort(), await freePort(), await freePort()];
  const socket = path.join(folder, 'mosquitto.sock');
  const pskFile = path.join(folder, 'psk');
  await writeFile(pskFile, 'lamp:00aaff\n');
  const configuration = `listener ${tls} 127.0.0.1
cafile ${files.caFile}
certfile ${files.certificateFile}
keyfile ${files.keyFile}
listener ${webSocket} 127.0.0.1
protocol websockets
listener 0 ${socket}
listener ${psk} 127.0.0.1
psk_file ${pskFile}
psk_hint hint
`;
  const mosquitto = stack.use(await MosquittoBroker.start(configuration));
  const trust = ['--cafile', authority.caFile];
  return {
    name: 'Mosquitto',
    ways: new Map([
      ['tcp', ['-h', '127.0.0.1', '-p', String(mosquitto.port)]],
      ['tls', ['-h', 'localhost', '-p', String(tls), ...trust]],
      ['ws', ['-h', '127.0.0.1', '-p', String(webSocket), '--ws']],
      ['unix', ['--unix', socket]],
      ['psk', ['-h', '127.0.0.1', '-p', String(psk), '--psk', '00AAff', '--psk-identity', 'lamp']],
    ]),
  };
}

/** Publishes on a topic that somebody waits for, and gives what that one prints. */
async function roundTrip(way: readonly string[], version: string, qos: string): Promise<string> {
  const words = [...way, '-V', version, '-q', qos];
  await using receiver = new Program('sub', true, [
    ...words,
    '-t',
    'round/#',
    '-C',
    '1',
    '-d',
    '-F',
    '>%t %p<',
  ]);
  await receiver.until('Subscribed (mid: 1)');
  const sent = await ours('pub', [...words, '-t', 'round/trip', '-m', `qos ${qos}`]);
  assert.equal(sent.code, 0, sent.errors);
  assert.equal(await receiver.ended, 0, receiver.errors);
  return />.*</.exec(receiver.output)?.[0] ?? receiver.output;
}

describe('pub, sub and rr', () => {
  for (const name of ['Davylamp', 'Mosquitto']) {
    const skip = name === 'Mosquitto' ? skipWithoutMosquitto : false;
    describe(`against ${name}`, { skip }, () => {
      const placeOf = (): Place => {
        const place = places.find((one) => one.name === name);
        assert.ok(place !== undefined);
        return place;
      };

      for (const [index, version] of versions.entries()) {
        it(`speak ${version}`, async () => {
          const way = placeOf().ways.get('tcp') ?? [];
          assert.equal(await roundTrip(way, version, String(index)), `>round/trip qos ${index}<`);
        });
      }

      it('come by every carrier', async () => {
        for (const [carrier, way] of placeOf().ways)
          assert.equal(await roundTrip(way, 'mqttv5', '1'), '>round/trip qos 1<', carrier);
      });

      for (const version of ['mqttv311', 'mqttv5']) {
        it(`ask and are answered in ${version}`, async () => {
          const way = [...(placeOf().ways.get('tcp') ?? []), '-V', version];
          await using server = new Program('sub', true, [...way, '-t', 'ask', '-C', '1', '-d', '-F', '<%R>']);
          await server.until('Subscribed');
          await using asker = new Program('rr', true, [...way, '-t', 'ask', '-e', 'answer', '-m', 'q', '-v']);
          await server.ended;
          assert.ok(server.output.includes(version === 'mqttv5' ? '<answer>' : '<>'), server.output);
          assert.equal((await ours('pub', [...way, '-t', 'answer', '-m', '42'])).code, 0);
          assert.equal(await asker.ended, 0, asker.errors);
          assert.equal(asker.output, 'answer 42\n');
        });
      }

      it('delete retained messages', async () => {
        const way = placeOf().ways.get('tcp') ?? [];
        const topics = ['one', 'two', 'three'];
        for (const topic of topics)
          await ours('pub', [...way, '-q', '1', '-r', '-t', `kept/${topic}`, '-m', topic]);
        const removal = '-t kept/# -t end -T kept/two --remove-retained --retained-only -v -d'.split(' ');
        await using reader = new Program('sub', true, [...way, ...removal]);
        // Three PUBLISH of ours, one for each that was kept; then somebody says that it is enough.
        await reader.until("'kept/three'");
        await ours('pub', [...way, '-t', 'end', '-m', 'x']);
        assert.equal(await reader.ended, 0, reader.errors);
        const left = await ours('sub', [...way, '-t', 'kept/#', '-C', '1', '-v']);
        assert.equal(left.output, 'kept/two two\n');
      });

      it('keep a session with -c', async () => {
        const way = placeOf().ways.get('tcp') ?? [];
        const session = [...way, '-c', '-i', 'keeper', '-q', '1', '-t', 'session'];
        assert.equal((await ours('sub', [...session, '-E'])).code, 0);
        assert.equal((await ours('pub', [...way, '-q', '1', '-t', 'session', '-m', 'while away'])).code, 0);
        assert.equal((await ours('sub', [...session, '-C', '1'])).output, 'while away\n');
      });
    });
  }
});

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { DavylampError, FakeClock, silentLogger } from '#base';
import { PacketType } from '#mqtt';
import { ScriptedBroker, turns, until } from '../../test/helpers/scripted-broker.ts';
import { hasLocalAddress, loopbackAddressOf } from './local-address.ts';
import { leakRates } from './room.ts';
import {
  demoRoom,
  demoTimeScale,
  VirtualSite,
  type DialTarget,
  type VirtualSiteOptions,
} from './virtual-site.ts';

interface Setup {
  readonly clock: FakeClock;
  readonly brokers: readonly ScriptedBroker[];
  readonly targets: readonly DialTarget[];
  readonly site: VirtualSite;
  /** Moves the time on in steps of a tenth of a second, and lets what is sent arrive. */
  pass(seconds: number): Promise<void>;
  /** Values that a detector has published so far, oldest first. */
  values(detector: number): readonly number[];
}

async function setUp(t: TestContext, options: Partial<VirtualSiteOptions> = {}): Promise<Setup> {
  const folder = mkdtempSync(join(tmpdir(), 'davylamp-site-'));
  writeFileSync(join(folder, 'password'), 'sesame\n');
  const clock = new FakeClock();
  const brokers: ScriptedBroker[] = [];
  const targets: DialTarget[] = [];
  const site = new VirtualSite({
    site: 'north',
    siteAddress: '23.17.224.11',
    broker: { host: '127.0.0.1', port: 1883 },
    username: 'detectors',
    passwordFile: join(folder, 'password'),
    detectors: [
      { name: 'd1', address: '192.168.1.11', mac: '5C:CF:7F:14:18:AD', room: demoRoom, start: 'warm' },
      {
        name: 'd2',
        address: '192.168.1.12',
        mac: '5C:CF:7F:14:18:AE',
        room: { ...demoRoom, gas: 'lpg' },
        start: 'cold',
      },
    ],
    seed: 1,
    timeScale: demoTimeScale,
    clock,
    log: silentLogger,
    createDialer: (target) => {
      targets.push(target);
      const broker = new ScriptedBroker();
      brokers.push(broker);
      return broker.dialer;
    },
    ...options,
  });
  t.after(async () => {
    await site.close();
    rmSync(folder, { recursive: true });
  });
  await site.start();
  await until('all detectors to be connected', () =>
    brokers.every((broker) =>
      broker.connections.at(-1)?.packets.some(({ type }) => type === PacketType.Subscribe),
    ),
  );
  return {
    clock,
    brokers,
    targets,
    site,
    async pass(seconds) {
      for (let step = 0; step < seconds * 10; step++) {
        clock.advance(100);
        await turns(4);
      }
    },
    values: (detector) => {
      const published = brokers[detector]?.last.published ?? [];
      return published.filter((text) => text.includes('value=')).map((text) => Number(text.at(-1)));
    },
  };
}

/** Seconds until the detector's last published value is `value`; fails beyond `limit`. */
async function secondsUntil(setup: Setup, value: 0 | 1, limit: number): Promise<number> {
  for (let seconds = 0; seconds <= limit; seconds += 0.5) {
    if (setup.values(0).at(-1) === value) return seconds;
    await setup.pass(0.5);
  }
  throw new Error(`no reading of ${value} within ${limit} s`);
}

test('a burner left open trips the detector within a quarter of a minute, and the closed leak airs out', async (t) => {
  const setup = await setUp(t);
  await setup.pass(4);
  assert.deepEqual(new Set(setup.values(0)), new Set([0]));
  const opened = setup.site.leak('d1', leakRates.burnerLeftOpen);
  assert.equal(opened?.leakLitresPerHour, 150);
  const tripped = await secondsUntil(setup, 1, 30);
  assert.ok(tripped >= 9 && tripped <= 17, `tripped after ${tripped} s`);
  await setup.pass(10);
  assert.equal(setup.site.leak('d1', 0)?.leakLitresPerHour, 0);
  const aired = await secondsUntil(setup, 0, 90);
  assert.ok(aired >= 20 && aired <= 60, `aired after ${aired} s`);
});

test('a broken pipe trips the detector in about three seconds', async (t) => {
  const setup = await setUp(t);
  setup.site.leak('d1', leakRates.pipeBreak);
  const tripped = await secondsUntil(setup, 1, 10);
  assert.ok(tripped <= 4.5, `tripped after ${tripped} s`);
});

test('a leak concerns its own room only', async (t) => {
  const setup = await setUp(t);
  setup.site.leak('d1', leakRates.pipeBreak);
  await setup.pass(5);
  const [leaking, other] = setup.site.rooms();
  assert.ok(leaking !== undefined && leaking.concentrationPpm > 10_000 && leaking.percentLel > 20);
  assert.deepEqual(other, {
    site: 'north',
    detector: 'd2',
    deviceId: '5ccf7f1418ae',
    gas: 'lpg',
    concentrationPpm: 0,
    percentLel: 0,
    leakLitresPerHour: 0,
  });
});

test('a detector that starts cold reads gas first and then clean air, whatever the time scale', async (t) => {
  const setup = await setUp(t);
  await setup.pass(150);
  const values = setup.values(1);
  assert.equal(values[0], 1);
  assert.equal(values.at(-1), 0);
  const cleared = values.indexOf(0) * 2;
  assert.ok(cleared > 45 && cleared < 120, `cleared after ${cleared} s`);
});

test('without a time scale the burner takes minutes', async (t) => {
  const setup = await setUp(t, { timeScale: 1 });
  setup.site.leak('d1', leakRates.burnerLeftOpen);
  await setup.pass(60);
  assert.deepEqual(new Set(setup.values(0)), new Set([0]));
});

test('a detector that is not there has no leak; a rate that is none is refused', async (t) => {
  const setup = await setUp(t);
  assert.equal(setup.site.leak('d9', 100), undefined);
  assert.equal(setup.site.leak('__proto__', 100), undefined);
  assert.throws(
    () => setup.site.leak('d1', -5),
    (error) => error instanceof DavylampError && error.code === 'USAGE',
  );
});

test('each detector comes from a loopback address of its own and keeps the shared client id', async (t) => {
  if (!(await hasLocalAddress('127.168.1.11')))
    return t.skip('this system has no loopback addresses beyond 127.0.0.1');
  const setup = await setUp(t);
  assert.deepEqual(
    setup.targets.map(({ localAddress }) => localAddress),
    ['127.168.1.11', '127.168.1.12'],
  );
  assert.deepEqual(
    setup.brokers.map(({ last }) => last.connect.clientId),
    ['ESP8266Client', 'ESP8266Client'],
  );
  assert.equal(setup.brokers[0]?.last.connect.password?.toString(), 'sesame');
});

test('where there is no such address, each has a client id of its own, and the log says so', async (t) => {
  const lines: string[] = [];
  const log = { ...silentLogger, notice: (line: string) => lines.push(line), child: () => log };
  const setup = await setUp(t, { broker: { host: '192.0.2.7', port: 1883 }, log });
  assert.deepEqual(
    setup.targets.map(({ localAddress }) => localAddress),
    [undefined, undefined],
  );
  assert.deepEqual(
    setup.brokers.map(({ last }) => last.connect.clientId),
    ['ESP8266Client-d1', 'ESP8266Client-d2'],
  );
  assert.equal(lines.length, 2);
});

test('loopback addresses are made from the last three numbers', () => {
  assert.equal(loopbackAddressOf('10.1.2.3'), '127.1.2.3');
  assert.equal(loopbackAddressOf('10.1.2.300'), undefined);
  assert.equal(loopbackAddressOf('kitchen'), undefined);
});

test('a missing password file is named; detectors that cannot be told apart or cannot be are refused', async (t) => {
  await assert.rejects(setUp(t, { passwordFile: '/nowhere/password' }), (error) => {
    return (
      error instanceof DavylampError &&
      error.code === 'FILE_UNREADABLE' &&
      error.message.includes('/nowhere/password')
    );
  });
  const twin = {
    name: 'd1',
    address: '192.168.1.11',
    mac: '5C:CF:7F:14:18:AD',
    room: demoRoom,
    start: 'warm',
  } as const;
  await assert.rejects(setUp(t, { detectors: [twin, twin] }), /two detectors have d1/);
  await assert.rejects(
    setUp(t, { detectors: [twin, { ...twin, name: 'd2', address: '192.168.1.12' }] }),
    /two detectors have 5C:CF:7F:14:18:AD/,
  );
  await assert.rejects(setUp(t, { detectors: [{ ...twin, address: 'a/#' }] }), /needs an IPv4 address/);
  await assert.rejects(
    setUp(t, { detectors: [{ ...twin, mac: '5ccf7f1418ad' }] }),
    /needs an IPv4 address and a MAC/,
  );
  await assert.rejects(setUp(t, { timeScale: 0 }), /time scale 0/);
});

/**
 * The whole chain as a user runs it: detectors → sites → relay → cloud → SQLite → alarms → API, every hop between
 * brokers under mutual TLS. One demo for all tests of this file, in order.
 */
import assert from 'node:assert/strict';
import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, it } from 'node:test';
import { SystemClock, silentLogger } from '#base';
import { Client } from '#client';
import type { DemoStatus } from '#cli';
import { createDialer } from '#listeners';
import {
  davylamp,
  DemoProcess,
  eventually,
  fetchJson,
  freePort,
  postJson,
  runProgram,
  temporaryFolder,
  type AlarmView,
  type DeviceView,
  type ReadingView,
} from '../helpers/demo-process.ts';

const publisher = '/usr/bin/mosquitto_pub';
const subscriber = '/usr/bin/mosquitto_sub';
const noMosquitto = existsSync(publisher)
  ? false
  : 'mosquitto_pub is not installed (Debian package mosquitto-clients)';
const clock = new SystemClock();

/** Waits on the live feed, as the screen does, for the first alarm that is raised from now on. */
async function firstAlarm(screen: string): Promise<{ raisedAt: number; heardAt: number }> {
  const response = await fetch(new URL('/api/v1/live', screen));
  const since = Date.now();
  let text = '';
  for await (const chunk of response.body ?? []) {
    text += Buffer.from(chunk).toString('utf8');
    const events = text.split('\n\n');
    text = events.pop() ?? '';
    for (const event of events) {
      if (!/^event: ?alarms$/m.test(event)) continue;
      const { alarms } = JSON.parse(/^data: ?(.*)$/m.exec(event)?.[1] ?? '{}') as { alarms: AlarmView[] };
      const raised = alarms.find((alarm) => alarm.state === 'unacknowledged' && alarm.raisedAt >= since);
      if (raised !== undefined) return { raisedAt: raised.raisedAt, heardAt: Date.now() };
    }
  }
  throw new Error('the live feed ended');
}

describe('the chain', () => {
  let demo: DemoProcess;
  let status: DemoStatus;
  let folder = '';
  const devices = (): Promise<DeviceView[]> => fetchJson(status.screen, '/api/v1/devices');
  const alarms = (): Promise<AlarmView[]> => fetchJson(status.screen, '/api/v1/alarms');

  before(async () => {
    folder = await temporaryFolder();
    demo = await DemoProcess.start({ folder });
    status = await demo.status();
  });
  after(() => demo[Symbol.asyncDispose]());

  const siteClient = async (index: number, clientId: string): Promise<Client> => {
    const site = status.sites[index];
    assert.ok(site);
    const client = new Client({
      dialer: createDialer({ host: site.host, port: site.port, tls: null, clock }),
      clock,
      log: silentLogger,
      clientId,
      version: 4,
      cleanStart: true,
      keepAliveSeconds: 30,
      username: site.username,
      password: site.password,
      reconnect: false,
    });
    await client.connect();
    return client;
  };

  it('says what runs and where', () => {
    assert.match(demo.lines, /^Screen: http:\/\/127\.0\.0\.1:\d+\/$/m);
    assert.equal(status.running, true);
    assert.deepEqual(
      status.sites.map((site) => site.name),
      ['north', 'south'],
    );
    assert.equal(status.processes.length, 8);
    for (const one of status.processes) assert.ok(one.pid !== null && existsSync(one.config), one.name);
  });

  it('keeps private keys and passwords to its user', () => {
    for (const file of [
      'authority/ca.key',
      'cloud/cloud.key',
      'relay/relay.key',
      'north/north.key',
      'north/detector.password',
      'cloud/store.db',
    ]) {
      assert.equal(statSync(path.join(folder, file)).mode & 0o077, 0, file);
    }
  });

  it('shows twelve detectors and two hosts, warm ones normal and cold ones warming up', async () => {
    const all = await eventually('fourteen devices', async () => {
      const list = await devices();
      const settled = list.filter((device) => device.protocol === 'json' || device.state === 'normal').length;
      return list.length === 14 && settled === 12 ? list : undefined;
    });
    for (const site of ['north', 'south']) {
      const here = all.filter((device) => device.site === site);
      assert.equal(here.length, 7);
      assert.equal(here.filter((device) => device.state === 'warming-up').length, 1, 'one cold detector');
      const host = here.find((device) => device.id === `${site}.host`);
      const metrics = host?.values.map((value) => value.metric) ?? [];
      for (const metric of ['cpu_load', 'memory_used'])
        assert.ok(metrics.includes(metric), `${metric} of ${site}`);
    }
    assert.ok(all.every((device) => device.registration === 'approved'));
    assert.ok(
      all
        .filter((device) => device.protocol === 'legacy')
        .every((device) => device.mac?.startsWith('5C:CF:7F:')),
    );
  });

  it('carries every reading of a detector once and in order', async () => {
    const total = 3000;
    const client = await siteClient(0, 'counter');
    const sent: Promise<unknown>[] = [];
    for (let sequence = 1; sequence <= total; sequence++) {
      const text = `${sequence}-Gas Sensor IP:192.168.1.77 MAC:77:00:20:7F:CF:5C Reading value=0`;
      sent.push(client.publish('outTopic/192.0.2.10/192.168.1.77', text, { qos: 1 }));
    }
    await Promise.all(sent);
    await client.close();
    const database = new DatabaseSync(status.store, { readOnly: true });
    const rows = await eventually('all rows', () => {
      const found = database
        .prepare("SELECT sequence FROM SensorLog WHERE mac = '77:00:20:7F:CF:5C' ORDER BY id")
        .all();
      return found.length >= total ? found.map((row) => Number(row['sequence'])) : undefined;
    });
    database.close();
    assert.deepEqual(
      rows,
      Array.from({ length: total }, (_, index) => index + 1),
    );
    const device = (await devices()).find((one) => one.id === '5ccf7f200077');
    assert.equal(device?.counts.missing, 0);
    assert.equal(device?.counts.repeated, 0);
    assert.equal(device?.registration, 'new');
    assert.equal(device?.site, 'north');
  });

  it(
    'takes a detector that is not ours, and a subscriber sees it arrive',
    { skip: noMosquitto },
    async () => {
      const { cloud, sites } = status;
      const site = sites[1];
      assert.ok(site);
      const text = '495-Gas Sensor IP:192.168.1.11 MAC:AD:18:14:7F:CF:5C Reading value=0';
      const topic = 'outTopic/23.17.224.11/192.168.1.11';
      const seen = runProgram(subscriber, [
        '-h',
        cloud.host,
        '-p',
        String(cloud.port),
        '--cafile',
        cloud.ca,
        '--cert',
        cloud.cert,
        '--key',
        cloud.key,
        '-u',
        cloud.username,
        '-P',
        cloud.password,
        '-t',
        topic,
        '-C',
        '1',
        '-W',
        '20',
      ]);
      // The subscription must stand before the message comes; a detector repeats itself as well.
      const publish = () =>
        runProgram(publisher, [
          '-h',
          site.host,
          '-p',
          String(site.port),
          '-u',
          site.username,
          '-P',
          site.password,
          '-t',
          topic,
          '-m',
          text,
        ]);
      const waited = Symbol('waited');
      do {
        assert.equal((await publish()).code, 0);
      } while (
        (await Promise.race([seen, new Promise((resolve) => setTimeout(resolve, 300, waited))])) === waited
      );
      const outcome = await seen;
      assert.equal(outcome.code, 0, outcome.stderr);
      assert.equal(outcome.stdout.trim(), text);
      const device = await eventually('the new device', async () =>
        (await devices()).find((one) => one.mac === '5C:CF:7F:14:18:AD'),
      );
      assert.equal(device.registration, 'new');
      assert.equal(device.site, 'south');
      const readings = await fetchJson<ReadingView[]>(
        status.screen,
        `/api/v1/devices/${device.id}/readings?limit=10`,
      );
      assert.equal(readings.length, 1, 'one row, however often it was repeated');
      assert.equal(readings[0]?.sequence, 495);
    },
  );

  it('lets nobody into the cloud without a certificate', { skip: noMosquitto }, async () => {
    const { cloud } = status;
    const outcome = await runProgram(subscriber, [
      '-h',
      cloud.host,
      '-p',
      String(cloud.port),
      '--cafile',
      cloud.ca,
      '-u',
      cloud.username,
      '-P',
      cloud.password,
      '-t',
      '#',
      '-C',
      '1',
      '-W',
      '5',
    ]);
    assert.notEqual(outcome.code, 0);
  });

  it('keeps what it cannot read, with the reason', async () => {
    const client = await siteClient(0, 'stranger');
    await client.publish('outTopic/192.0.2.10/192.168.1.77', 'not a reading', { qos: 1 });
    await client.close();
    const quarantined = await eventually('the quarantine', async () => {
      const list = await fetchJson<{ topic: string; reason: string }[]>(status.screen, '/api/v1/quarantine');
      return list.find((one) => one.topic.endsWith('192.168.1.77'));
    });
    assert.ok(quarantined.reason.length > 5);
  });

  it(
    'raises an alarm for a leak, takes the acknowledgement, and returns to normal',
    { timeout: 180_000 },
    async () => {
      const heard = firstAlarm(status.screen);
      const opened = await davylamp('demo', 'leak', 'north/d1', '--rate', '2000', '--data', folder);
      assert.equal(opened.code, 0, opened.stderr);
      const alarm = await eventually(
        'the alarm',
        async () => (await alarms()).find((one) => one.state === 'unacknowledged'),
        60_000,
      );
      const { raisedAt, heardAt } = await heard;
      console.log(
        `measured: the alarm reached the screen's feed ${heardAt - raisedAt} ms after the site took the reading`,
      );
      assert.equal(alarm.raisedAt, raisedAt);
      assert.equal(alarm.site, 'north');
      const device = (await devices()).find((one) => one.id === alarm.deviceId);
      assert.equal(device?.state, 'gas');
      assert.equal(device?.mac, '5C:CF:7F:20:01:01');
      const url = `/api/v1/alarms/${encodeURIComponent(alarm.id)}`;
      const acknowledged = await postJson<AlarmView>(status.screen, `${url}/acknowledge`, {
        by: 'test operator',
        comment: 'seen',
      });
      assert.equal(acknowledged.state, 'acknowledged');
      const closed = await davylamp('demo', 'leak', '--close', 'north/d1', '--data', folder);
      assert.equal(closed.code, 0, closed.stderr);
      await eventually(
        'the alarm to return',
        async () =>
          (await alarms()).find((one) => one.id === alarm.id)?.state === 'normal' ? true : undefined,
        120_000,
      );
      const transitions = await fetchJson<{ kind: string; by: string }[]>(
        status.screen,
        `${url}/transitions`,
      );
      assert.deepEqual(
        transitions.map((one) => one.kind),
        ['raise', 'acknowledge', 'return'],
      );
      assert.equal(transitions[1]?.by, 'test operator');
    },
  );

  it('carries commands to a detector and its answer back', { timeout: 120_000 }, async () => {
    const detector = (await devices()).find((one) => one.mac === '5C:CF:7F:20:02:02');
    assert.ok(detector);
    const give = async (body: unknown) => {
      const { id } = await postJson<{ id: string }>(
        status.screen,
        `/api/v1/devices/${detector.id}/commands`,
        body,
      );
      return eventually(
        `the answer to ${JSON.stringify(body)}`,
        async () => {
          const list = await fetchJson<{ id: string; state: string; detail: string }[]>(
            status.screen,
            '/api/v1/commands',
          );
          const command = list.find((one) => one.id === id);
          return command !== undefined && ['answered', 'refused', 'expired'].includes(command.state)
            ? command
            : undefined;
        },
        60_000,
      );
    };
    const requested = await give({ name: 'Request', by: 'test operator' });
    assert.equal(requested.state, 'answered');
    assert.match(requested.detail, /reading 0/);
    const slept = await give({ name: 'Sleep', seconds: 1, by: 'test operator' });
    assert.equal(slept.state, 'answered', slept.detail);
    assert.match(slept.detail, /every 1 s/);
    const readings = await fetchJson<ReadingView[]>(
      status.screen,
      `/api/v1/devices/${detector.id}/readings?limit=200`,
    );
    assert.ok(readings.some((one) => one.kind === 'requested'));
  });

  it('refuses a second demo in the same folder', async () => {
    const second = await davylamp('demo', '--data', folder);
    assert.notEqual(second.code, 0);
    assert.match(second.stderr, /already runs/);
  });

  it('names a leak that cannot be', async () => {
    const outcome = await davylamp('demo', 'leak', 'north/d9', '--data', folder);
    assert.notEqual(outcome.code, 0);
    assert.match(outcome.stderr, /no virtual detector north\/d9/);
  });

  it('replaces a taken port and says so', { timeout: 120_000 }, async () => {
    const taken = Number(new URL(status.screen).port);
    await using second = await DemoProcess.start({ firstPort: taken });
    assert.match(second.lines, new RegExp(`Port ${taken} is taken; the screen uses \\d+ instead`));
    assert.equal(await second.stop(), 0, second.lines);
  });

  it('stops cleanly and goes on with its data', { timeout: 120_000 }, async () => {
    const before = await devices();
    assert.equal(await demo.stop(), 0, demo.lines);
    assert.equal((await demo.status()).running, false);
    demo = await DemoProcess.start({ folder, firstPort: await freePort() });
    status = await demo.status();
    const now = await devices();
    for (const device of before)
      assert.ok(
        now.some((one) => one.id === device.id),
        device.id,
      );
    const database = new DatabaseSync(status.store, { readOnly: true });
    const twice = database
      .prepare(
        "SELECT mac, datereceived, sequence, COUNT(*) AS n FROM SensorLog GROUP BY mac, datereceived, sequence HAVING n > 1 AND comments = 'Regular reading'",
      )
      .all();
    database.close();
    assert.deepEqual(twice, []);
  });
});

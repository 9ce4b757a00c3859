import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DavylampError, FakeClock, silentLogger } from '#base';
import {
  alarmId,
  ApiUnderTest,
  alarmView,
  deviceView,
  lampId,
  memoryDemo,
  MemoryPlatform,
} from './api-under-test.ts';
import { createApi } from './create-api.ts';
import type { ProblemView } from './problem.ts';

const encodedAlarm = encodeURIComponent(alarmId);

/** Asserts a problem: its status, code and what its message must hold. */
function assertProblem(
  answer: { readonly status: number; readonly json: unknown },
  status: number,
  error: string,
  message: RegExp,
): void {
  const problem = answer.json as ProblemView;
  assert.equal(answer.status, status, problem?.message);
  assert.equal(problem.error, error);
  assert.match(problem.message, message);
  assert.deepEqual(Object.keys(problem), ['error', 'message']);
}

test('status: what the platform counts, and the live feed', async () => {
  await using subject = await ApiUnderTest.start();
  const answer = await subject.ask('/api/v1/status');
  assert.equal(answer.status, 200);
  const live = { streams: 0, refused: 0, cut: 0, droppedReadings: 0 };
  assert.deepEqual(answer.json, { ...subject.platform.status(), live });
  assert.equal(answer.headers['cache-control'], 'no-store');
  assert.equal(answer.headers['davylamp-version'], '1.2.3');
});

test('devices: all, one, and none of that name', async () => {
  await using subject = await ApiUnderTest.start();
  assert.deepEqual((await subject.ask('/api/v1/devices')).json, [deviceView()]);
  assert.deepEqual((await subject.ask(`/api/v1/devices/${lampId}`)).json, deviceView());
  assertProblem(await subject.ask('/api/v1/devices/nobody'), 404, 'NOT_FOUND', /device nobody is not known/);
});

test('readings: fields, limit and metric', async () => {
  await using subject = await ApiUnderTest.start();
  const path = `/api/v1/devices/${lampId}/readings`;
  const all = (await subject.ask(path)).json as unknown[];
  const at = 1_700_000_000_000;
  const common = { value: 0, unit: '1', epoch: 1, at, receivedAt: at, kind: 'regular', quality: 'good' };
  assert.deepEqual(all, [
    { metric: 'gas', sequence: 495, ...common },
    { metric: 'temperature', sequence: null, ...common },
  ]);
  assert.deepEqual((await subject.ask(`${path}?limit=1`)).json, all.slice(0, 1));
  assert.deepEqual((await subject.ask(`${path}?metric=temperature&limit=10000`)).json, all.slice(1));
  assertProblem(await subject.ask('/api/v1/devices/nobody/readings'), 404, 'NOT_FOUND', /nobody/);
});

test('a query parameter that is wrong is named with what is allowed', async () => {
  await using subject = await ApiUnderTest.start();
  const allowed = /^limit: must be a whole number from 1 to 10000$/;
  for (const resource of ['events', 'alarms', 'quarantine', 'commands', `devices/${lampId}/readings`]) {
    for (const limit of ['0', '-1', '10001', '99999', '1.5', '1e3', '0x10', '', 'many', '%00']) {
      const answer = await subject.ask(`/api/v1/${resource}?limit=${limit}`);
      assertProblem(answer, 400, 'BAD_INPUT', allowed);
    }
    const answer = await subject.ask(`/api/v1/${resource}?limits=5`);
    assertProblem(answer, 400, 'BAD_INPUT', /^limits: is not known here$/);
  }
});

test('events, quarantine and commands', async () => {
  await using subject = await ApiUnderTest.start();
  const { platform } = subject;
  assert.deepEqual((await subject.ask('/api/v1/events')).json, platform.eventList);
  assert.deepEqual((await subject.ask(`/api/v1/devices/${lampId}/events?limit=5`)).json, platform.eventList);
  assertProblem(await subject.ask('/api/v1/devices/nobody/events'), 404, 'NOT_FOUND', /nobody/);
  const rest = { at: 1_700_000_000_000, topic: 'outTopic/a/b', reason: 'not a reading', size: 5 };
  const quarantined = { ...rest, text: 'na\ufffdve', base64: 'bmHvdmU=' };
  assert.deepEqual((await subject.ask('/api/v1/quarantine')).json, [quarantined]);
  assert.deepEqual((await subject.ask(`/api/v1/commands?device=${lampId}`)).json, []);
  assertProblem(await subject.ask('/api/v1/commands?device=nobody'), 404, 'NOT_FOUND', /nobody/);
});

test('an alarm is acknowledged once, by a person', async () => {
  await using subject = await ApiUnderTest.start();
  const path = `/api/v1/alarms/${encodedAlarm}`;
  assert.deepEqual((await subject.ask('/api/v1/alarms')).json, [alarmView()]);
  assert.equal(((await subject.ask(`${path}/transitions`)).json as unknown[]).length, 1);
  const done = await subject.post(`${path}/acknowledge`, { by: '  Ada Lovelace ', comment: 'going there' });
  assert.equal(done.status, 200);
  assert.deepEqual(done.json, subject.platform.alarmList[0]);
  assert.equal(subject.platform.alarmList[0]?.acknowledgedBy, 'Ada Lovelace:going there');
  const again = await subject.post(`${path}/acknowledge`, { by: 'Ada' });
  assertProblem(again, 409, 'CONFLICT', /does not wait for an acknowledgement/);
  const none = await subject.post('/api/v1/alarms/none/acknowledge', { by: 'Ada' });
  assertProblem(none, 404, 'NOT_FOUND', /alarm none is not known/);
  assertProblem(await subject.ask('/api/v1/alarms/none/transitions'), 404, 'NOT_FOUND', /alarm none/);
});

test('a command is accepted, refused with the reason, or not understood', async () => {
  await using subject = await ApiUnderTest.start();
  const path = `/api/v1/devices/${lampId}/commands`;
  const sent = await subject.post(path, { name: 'Sleep', seconds: 0.01, by: 'Ada' });
  assert.equal(sent.status, 202);
  assert.deepEqual(sent.json, subject.platform.commandList[0]);
  assert.equal(subject.platform.commandList[0]?.seconds, 0.01);
  const request = await subject.post(path, { name: 'Request', by: 'Ada' });
  assert.equal((request.json as { seconds: unknown }).seconds, null);
  const bad: readonly [unknown, RegExp][] = [
    [{ name: 'Reboot', by: 'Ada' }, /^name: must be Request or Sleep$/],
    [{ by: 'Ada' }, /^name: must be Request or Sleep$/],
    [{ name: 'Sleep', by: 'Ada' }, /^seconds: is missing$/],
    [{ name: 'Sleep', seconds: 0, by: 'Ada' }, /^seconds: must be a number from 0\.01 to 86400$/],
    [{ name: 'Sleep', seconds: 1e9, by: 'Ada' }, /^seconds: must be a number from 0\.01 to 86400$/],
    [{ name: 'Sleep', seconds: '5', by: 'Ada' }, /^seconds: must be a number/],
    [{ name: 'Request', seconds: 5, by: 'Ada' }, /^seconds: must be left out for Request$/],
    [{ name: 'Request' }, /^by: is missing$/],
    [{ name: 'Request', by: '   ' }, /^by: must not be empty$/],
    [{ name: 'Request', by: 'x'.repeat(65) }, /^by: must not be longer than 64 characters$/],
    [{ name: 'Request', by: 'a\nb' }, /^by: must not hold control characters$/],
    [{ name: 'Request', by: 5 }, /^by: must be text$/],
    [{ name: 'Request', by: 'Ada', force: true }, /^force: is not known here$/],
    ['{"name":"Request","by":"Ada","__proto__":{"x":1}}', /^__proto__: is not known here$/],
    [[], /^name: must be Request or Sleep$|JSON object/],
    ['null', /^the body must be a JSON object$/],
    ['{"name":', /^the body is not JSON$/],
    ['', /^the body is not JSON$/],
  ];
  for (const [body, message] of bad) {
    assertProblem(await subject.post(path, body), 400, 'BAD_INPUT', message);
  }
  assert.equal(subject.platform.commandList.length, 2);
  subject.platform.commandRefusal = 'device d1 takes no commands';
  const refused = await subject.post(path, { name: 'Request', by: 'Ada' });
  assertProblem(refused, 409, 'CONFLICT', /^device d1 takes no commands$/);
  const nobody = await subject.post('/api/v1/devices/nobody/commands', { name: 'Request', by: 'Ada' });
  assertProblem(nobody, 404, 'NOT_FOUND', /nobody/);
});

test('a new device is approved', async () => {
  await using subject = await ApiUnderTest.start();
  const answer = await subject.post(`/api/v1/devices/${lampId}/approve`, { by: 'Ada' });
  assert.deepEqual(answer.json, deviceView({ registration: 'approved' }));
  const none = await subject.post('/api/v1/devices/nobody/approve', { by: 'Ada' });
  assertProblem(none, 404, 'NOT_FOUND', /nobody/);
});

test('rooms and leaks exist in the demo only', async () => {
  await using subject = await ApiUnderTest.start();
  const leak = { site: 'north', detector: 'd1', litresPerHour: 30 };
  assertProblem(await subject.ask('/api/v1/demo/rooms'), 404, 'NOT_FOUND', /not the demo/);
  assertProblem(await subject.post('/api/v1/demo/leaks', leak), 404, 'NOT_FOUND', /not the demo/);
  subject.platform.demo = memoryDemo();
  assert.equal(((await subject.ask('/api/v1/demo/rooms')).json as unknown[]).length, 1);
  const opened = await subject.post('/api/v1/demo/leaks', leak);
  assert.equal((opened.json as { leakLitresPerHour: number }).leakLitresPerHour, 30);
  const unknown = await subject.post('/api/v1/demo/leaks', { ...leak, detector: 'd9' });
  assertProblem(unknown, 404, 'NOT_FOUND', /detector north\/d9 is not known/);
  const wrong: readonly [object, RegExp][] = [
    [{ litresPerHour: -1 }, /^litresPerHour: must be a number from 0 to 100000$/],
    [{ litresPerHour: 1e9 }, /^litresPerHour/],
    [{ site: '../x' }, /^site: must be a name/],
  ];
  for (const [change, message] of wrong) {
    const answer = await subject.post('/api/v1/demo/leaks', { ...leak, ...change });
    assertProblem(answer, 400, 'BAD_INPUT', message);
  }
});

test('a body that is too large or of another type is refused', async () => {
  await using subject = await ApiUnderTest.start();
  const path = `/api/v1/alarms/${encodedAlarm}/acknowledge`;
  const large = JSON.stringify({ by: 'Ada', comment: 'x'.repeat(900_000) });
  const announced = { 'content-length': String(large.length) };
  assertProblem(await subject.post(path, large, announced), 413, 'TOO_LARGE', /larger than 16384 bytes/);
  // Chunked: the length shows only as it comes.
  assertProblem(await subject.post(path, large), 413, 'TOO_LARGE', /larger than 16384 bytes/);
  // Far too large: answered on the claim alone, without waiting for a byte of it.
  const claim = { 'content-length': '1000000000' };
  assertProblem(await subject.post(path, 'x', claim), 413, 'TOO_LARGE', /larger than 16384 bytes/);
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/json-seq', '']) {
    const answer = await subject.post(path, { by: 'Ada' }, { 'content-type': type });
    assertProblem(answer, 415, 'UNSUPPORTED_TYPE', /must be application\/json/);
  }
  const charset = { 'content-type': 'application/json; charset=utf-8' };
  assert.equal((await subject.post(path, { by: 'Ada' }, charset)).status, 200);
});

test('unknown routes and methods are answered as problems', async () => {
  await using subject = await ApiUnderTest.start();
  assertProblem(await subject.ask('/api/v1/nothing'), 404, 'NOT_FOUND', /\/api\/v1\/nothing is not known/);
  assertProblem(await subject.ask('/api/v2/devices'), 404, 'NOT_FOUND', /is not known/);
  const put = await subject.ask('/api/v1/devices', { method: 'PUT' });
  assertProblem(put, 405, 'METHOD_NOT_ALLOWED', /takes GET only/);
  assert.equal(put.headers['allow'], 'GET');
  assertProblem(await subject.post('/index.html', {}), 404, 'NOT_FOUND', /takes no POST/);
  const head = await subject.ask('/api/v1/devices', { method: 'HEAD' });
  assert.equal(head.status, 200);
  assert.equal(head.text, '');
});

test('a failure of the platform is told without its details', async () => {
  await using subject = await ApiUnderTest.start();
  subject.platform.failure = new Error('secret: /var/lib/x');
  assertProblem(await subject.ask('/api/v1/status'), 500, 'BUG', /^something failed that must not;/);
  subject.platform.failure = new DavylampError('STORE_UNUSABLE', 'store /var/lib/x: disk full');
  assertProblem(await subject.ask('/api/v1/status'), 503, 'STORE_UNUSABLE', /^the store cannot be used now/);
});

test('a taken port and a foreign address are named', async () => {
  await using subject = await ApiUnderTest.start();
  const options = { webFolder: subject.webFolder, log: silentLogger, clock: new FakeClock(), version: '1' };
  const other = createApi({ platform: new MemoryPlatform(), ...options });
  const taken = {
    code: 'PORT_TAKEN',
    message: new RegExp(`port ${subject.port} of 127\\.0\\.0\\.1 is taken; choose`),
  };
  await assert.rejects(other.start('127.0.0.1', subject.port), taken);
  await assert.rejects(other.start('192.0.2.1', 0), { code: 'LISTEN_FAILED', message: /192\.0\.2\.1/ });
  await other.close();
});

test('bridges: the links of this broker', async () => {
  await using subject = await ApiUnderTest.start();
  const answer = await subject.ask('/api/v1/bridges');
  assert.equal(answer.status, 200);
  assert.deepEqual(answer.json, subject.platform.bridges());
});

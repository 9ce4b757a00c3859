/** A site as a process, with a bridge to a relay that is away: what Prometheus, a probe and a stranger get from it. */
import assert from 'node:assert/strict';
import { writeFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { describe, it } from 'node:test';
import { SystemClock, silentLogger } from '#base';
import { Client } from '#client';
import { createDialer } from '#listeners';
import { RoleProcess } from '../faults/role-process.ts';
import { eventually, freePort, temporaryFolder } from '../helpers/demo-process.ts';
import { parsePrometheus, type PrometheusPage } from '../helpers/prometheus-text.ts';
import { httpRequest } from '../helpers/raw-http.ts';

const clock = new SystemClock();
const token = 'the-token-of-this-test';
const messages = 20;

/** A site with a bridge; nobody listens where the bridge goes to, until something is started there. */
class Site implements AsyncDisposable {
  readonly folder: string;
  readonly mqttPort: number;
  readonly port: number;
  readonly relayPort: number;
  readonly process: RoleProcess;

  private constructor(folder: string, [mqttPort, port, relayPort]: readonly [number, number, number]) {
    this.folder = folder;
    this.mqttPort = mqttPort;
    this.port = port;
    this.relayPort = relayPort;
    this.process = new RoleProcess('site', ['site', '-c', path.join(folder, 'site.toml')]);
  }

  static async start(): Promise<Site> {
    const ports = [await freePort(), await freePort(), await freePort()] as const;
    const site = new Site(await temporaryFolder(), ports);
    await site.write('token', `${token}\n`);
    await site.write('site.toml', site.config(`port = ${site.port}\ntoken_file = "token"\n`));
    await site.process.start();
    return site;
  }

  config(metrics: string): string {
    return `role = "site"
name = "north"
log_level = "info"
[[listener]]
name = "inside"
address = "127.0.0.1"
port = ${this.mqttPort}
allow_anonymous = true
[[bridge]]
name = "relay"
host = "127.0.0.1"
port = ${this.relayPort}
retry_minimum = "100ms"
retry_maximum = "200ms"
  [[bridge.topic]]
  filter = "gas/#"
${metrics === '' ? '' : `[metrics]\n${metrics}`}`;
  }

  write(name: string, text: string): Promise<void> {
    return writeFile(path.join(this.folder, name), text, { mode: 0o600 });
  }

  async page(): Promise<PrometheusPage> {
    const answer = await httpRequest(this.port, '/metrics', { token });
    assert.equal(answer?.status, 200);
    assert.equal(answer.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
    return parsePrometheus(answer.body);
  }

  /** Publishes to the bridge's topic; resolves when all is acknowledged. */
  async publish(count: number): Promise<void> {
    const client = new Client({
      dialer: createDialer({ host: '127.0.0.1', port: this.mqttPort, tls: null, clock }),
      clock,
      log: silentLogger,
      clientId: 'a-client-that-names-itself',
      version: 5,
      cleanStart: true,
      keepAliveSeconds: 10,
      reconnect: false,
    });
    await client.connect();
    const all = Array.from({ length: count }, (_, index) =>
      client.publish('gas/a-topic-of-the-client', String(index), { qos: 1 }),
    );
    await Promise.all(all);
    await client.close();
  }

  /** SIGHUP, and until its log says what came of it. */
  async reload(expected: RegExp): Promise<void> {
    const before = this.process.lastLines.length;
    process.kill(this.process.pid ?? assert.fail('it runs'), 'SIGHUP');
    await eventually(`the log to say ${expected}`, () =>
      expected.test(this.process.lastLines.slice(before)) ? true : undefined,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.process[Symbol.asyncDispose]();
    await rm(this.folder, { recursive: true, force: true });
  }
}

async function startRelay(port: number, folder: string): Promise<RoleProcess> {
  const file = path.join(folder, 'relay.toml');
  await writeFile(
    file,
    `role = "relay"\nname = "relay"\n[[listener]]\nname = "all"\naddress = "127.0.0.1"\nport = ${port}\nallow_anonymous = true\n[persistence]\nenabled = false\n`,
  );
  const relay = new RoleProcess('relay', ['relay', '-c', file]);
  await relay.start();
  return relay;
}

describe('the metrics of a site', () => {
  it('tells of clients, journal and a bridge that is down, and then up', { timeout: 120_000 }, async () => {
    await using site = await Site.start();
    await site.publish(messages);
    const { families, values } = await site.page();
    const of = (series: string): number | undefined => values.get(series);
    assert.equal(of('davylamp_bridge_connected{bridge="relay"}'), 0);
    // One may be on its way inside, from when the bridge made its session.
    const waiting = of('davylamp_bridge_queue_messages{bridge="relay"}') ?? 0;
    assert.equal(waiting + (of('davylamp_bridge_in_flight_messages{bridge="relay"}') ?? 0), messages);
    assert.ok((of('davylamp_bridge_queue_bytes{bridge="relay"}') ?? 0) > 0);
    assert.ok((of('davylamp_bridge_queue_oldest_seconds{bridge="relay"}') ?? -1) >= 0);
    assert.equal(of('davylamp_bridge_sent_total{bridge="relay"}'), 0);
    assert.equal(of('davylamp_publish_received_total'), messages);
    assert.equal(of('davylamp_listener_accepted_total{listener="inside",protocol="tcp"}'), 1);
    assert.equal(of('davylamp_journal_state{state="ok"}'), 1);
    assert.ok((of('davylamp_journal_flushes_total') ?? 0) > 0);
    assert.ok((of('davylamp_journal_written_bytes_total') ?? 0) > 0);
    assert.equal(of('davylamp_messages_dropped_total{policy="queue-full"}'), 0);
    assert.ok((of('process_resident_memory_bytes') ?? 0) > 10_000_000);
    assert.ok(families.has('nodejs_eventloop_lag_seconds'));
    const chosen = [...values.keys()].filter((series) => /a-client-that|a-topic-of/.test(series));
    assert.deepEqual(chosen, []);
    await using relay = await startRelay(site.relayPort, site.folder);
    const drained = await eventually('the queue to drain', async () => {
      const page = await site.page();
      return page.values.get('davylamp_bridge_queue_messages{bridge="relay"}') === 0 &&
        page.values.get('davylamp_bridge_in_flight_messages{bridge="relay"}') === 0
        ? page
        : undefined;
    });
    assert.equal(drained.values.get('davylamp_bridge_connected{bridge="relay"}'), 1);
    assert.equal(drained.values.get('davylamp_bridge_sent_total{bridge="relay"}'), messages);
    await relay.stop();
  });

  it('answers probes, and strangers with a refusal', { timeout: 60_000 }, async () => {
    await using site = await Site.start();
    const { port } = site;
    assert.equal((await httpRequest(port, '/healthz'))?.body, '{"status":"ok"}\n');
    assert.equal((await httpRequest(port, '/readyz'))?.body, '{"status":"ready"}\n');
    const details = JSON.parse((await httpRequest(port, '/readyz', { token }))?.body ?? '') as {
      bridges: { name: string; state: string }[];
      [key: string]: unknown;
    };
    assert.equal(details['status'], 'ready');
    assert.equal(details['journal'], 'ok');
    assert.deepEqual(details['listeners'], [{ name: 'inside', protocol: 'tcp' }]);
    assert.equal(details.bridges[0]?.name, 'relay');
    assert.notEqual(details.bridges[0]?.state, 'connected');
    assert.equal((await httpRequest(port, '/metrics'))?.status, 401);
    assert.equal((await httpRequest(port, '/metrics', { token: `${token}!` }))?.status, 401);
    assert.equal((await httpRequest(port, '/', { token }))?.status, 404);
    assert.equal((await httpRequest(port, '/metrics', { token, method: 'POST' }))?.status, 405);
    const { values } = await site.page();
    assert.equal(values.get('davylamp_metrics_requests_total{status="401"}'), 2);
    assert.equal(values.get('davylamp_metrics_requests_total{status="405"}'), 1);
  });

  it('follows a reload, all or nothing', { timeout: 60_000 }, async () => {
    await using site = await Site.start();
    await site.write('token', 'another-token-of-this-test\n');
    await site.reload(/reloaded/);
    assert.equal((await httpRequest(site.port, '/metrics', { token }))?.status, 401);
    const given = { token: 'another-token-of-this-test' };
    assert.equal((await httpRequest(site.port, '/metrics', given))?.status, 200);
    await site.write('token', '\n');
    await site.reload(/not reloaded, everything stays as it was: metrics: the first line of/);
    assert.equal((await httpRequest(site.port, '/metrics', given))?.status, 200);
    await site.write('site.toml', site.config(''));
    await site.reload(/: reloaded|notice reloaded| reloaded /);
    await assert.rejects(fetch(`http://127.0.0.1:${site.port}/healthz`));
  });
});

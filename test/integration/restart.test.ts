/**
 * Each role is ended (politely and by SIGKILL) in turn while a detector goes on: the chain must come back by itself, lose
 * nothing that was acknowledged and store nothing twice.
 */
import assert from 'node:assert/strict';
import process from 'node:process';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'node:test';
import { SystemClock, silentLogger } from '#base';
import { Client } from '#client';
import { createDialer } from '#listeners';
import { DemoProcess, eventually } from '../helpers/demo-process.ts';

const mac = '88:00:20:7F:CF:5C';
const topic = 'outTopic/192.0.2.10/192.168.1.88';

describe('restarts', () => {
  it(
    'the chain comes back whichever role stops; nothing is lost and nothing stored twice',
    { timeout: 300_000 },
    async () => {
      await using demo = await DemoProcess.start();
      const status = await demo.status();
      const site = status.sites[0];
      assert.ok(site);
      const clock = new SystemClock();
      const client = new Client({
        dialer: createDialer({ host: site.host, port: site.port, tls: null, clock }),
        clock,
        log: silentLogger,
        clientId: 'restart-test',
        version: 4,
        cleanStart: false,
        keepAliveSeconds: 10,
        username: site.username,
        password: site.password,
        reconnect: { minimumMs: 100, maximumMs: 500 },
      });
      await client.connect();
      let sequence = 0;
      let acknowledged = 0;
      const timer = setInterval(() => {
        sequence += 1;
        const text = `${sequence}-Gas Sensor IP:192.168.1.88 MAC:88:00:20:7F:CF:5C Reading value=0`;
        client.publish(topic, text, { qos: 1 }).then(
          () => (acknowledged += 1),
          () => {},
        );
      }, 20);
      const database = new DatabaseSync(status.store, { readOnly: true });
      const latest = (): number =>
        Number(
          database.prepare('SELECT MAX(sequence) AS n FROM SensorLog WHERE mac = ?').get(mac)?.['n'] ?? 0,
        );
      const flows = (what: string): Promise<true> => {
        const sentNow = sequence;
        return eventually(`readings after ${what}`, () => (latest() > sentNow ? true : undefined), 60_000);
      };

      await flows('the start');
      const roles = ['relay', 'cloud', 'site north', 'site south', 'detectors north', 'agent south'];
      const order = [...roles, 'cloud', 'site north', 'relay'];
      for (const [index, name] of order.entries()) {
        const pid = (await demo.status()).processes.find((one) => one.name === name)?.pid;
        assert.ok(pid, `${name} runs`);
        process.kill(pid, index < roles.length ? 'SIGTERM' : 'SIGKILL');
        await eventually(
          `${name} to come back`,
          async () => {
            const again = (await demo.status()).processes.find((one) => one.name === name)?.pid;
            return again !== null && again !== undefined && again !== pid ? true : undefined;
          },
          60_000,
        );
        await flows(`the restart of ${name}`);
      }

      clearInterval(timer);
      await eventually('the last answers', () => (client.inflight === 0 ? true : undefined));
      await client.close();
      await eventually('the last row', () => (latest() === sequence ? true : undefined));
      const rows = database
        .prepare('SELECT sequence, COUNT(*) AS n FROM SensorLog WHERE mac = ? GROUP BY sequence')
        .all(mac);
      database.close();
      assert.equal(rows.filter((row) => Number(row['n']) > 1).length, 0, 'nothing is stored twice');
      console.log(
        `counted: ${sequence} sent, ${acknowledged} acknowledged, ${rows.length} stored once, over ${order.length} restarts`,
      );
      assert.equal(rows.length, sequence, 'nothing is lost');
    },
  );
});

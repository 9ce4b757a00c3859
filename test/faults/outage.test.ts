/** A short outage: what gathers at the site is drained at twenty times the live rate, and live traffic goes on meanwhile. */
import assert from 'node:assert/strict';
import process from 'node:process';
import { it } from 'node:test';
import { outageLines, runOutage } from './outage.ts';

const messages = Number(process.env['OUTAGE_MESSAGES'] ?? 60_000);

it('an outage is made up for, without starving live traffic', { timeout: 580_000 }, async (test) => {
  const report = await runOutage({ messages, liveRate: 1000, say: (line) => test.diagnostic(line) });
  for (const line of outageLines(report)) test.diagnostic(`measured: ${line}`);
  assert.deepEqual(report.broken, []);
  assert.equal(report.waited, messages);
  assert.ok(report.overtook > 0, 'urgent messages overtake');
});

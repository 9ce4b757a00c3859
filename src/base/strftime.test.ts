import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { strftime } from './strftime.ts';

describe('strftime', () => {
  it('writes the forms that log files have', () => {
    const time = new Date(2026, 10, 3, 7, 5, 9);
    assert.equal(strftime('%Y-%m-%dT%H:%M:%S', time), '2026-11-03T07:05:09');
    assert.equal(strftime('%b %e %H:%M:%S', time), 'Nov  3 07:05:09');
    assert.equal(strftime('%-d.%-m. %k:%M %^a 100%%', time), '3.11.  7:05 TUE 100%');
  });

  it('leaves alone what is no conversion', () => {
    assert.equal(strftime('%Q 5% %', new Date(0)), '%Q 5% %');
  });

  it('agrees with the date program in every conversion, at odd dates and in several zones', (t) => {
    const letters = 'aAbBcCdDeFgGhHIjklmMnpPrRsStTuUVwWxXyYzZ%';
    const flagged = ['%-d', '%_m', '%05d', '%^b', '%#p', '%#Z', '%_5H', '%-j', '%-I', '%Ey', '%Od', '%-H'];
    const format = [...letters.split('').map((letter) => `%${letter}`), ...flagged].join('|');
    const times = [
      '2026-01-01T00:00:00Z',
      '2024-12-30T23:59:59Z',
      '2027-01-03T12:34:56Z',
      '2020-02-29T01:02:03Z',
      '2026-07-09T21:05:07Z',
    ];
    const script = `import { strftime } from ${JSON.stringify(new URL('./strftime.ts', import.meta.url).href)};
      for (const time of ${JSON.stringify(times)}) console.log(strftime(${JSON.stringify(format)}, new Date(time)));`;
    for (const zone of ['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata']) {
      const env = { ...process.env, TZ: zone, LC_ALL: 'C' };
      const theirs = times.map((time) =>
        spawnSync('date', ['-d', time, `+${format}`], { env, encoding: 'utf8' }),
      );
      if (theirs[0]?.error !== undefined || theirs[0]?.status !== 0)
        return t.skip('GNU date is not installed');
      const ours = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
        env,
        encoding: 'utf8',
      });
      assert.equal(ours.status, 0, ours.stderr);
      assert.equal(ours.stdout, theirs.map((one) => one.stdout).join(''), zone);
    }
  });
});

/**
 * Tells Debian's Mosquitto and our broker the same, packet by packet, and compares what comes back. Each difference has
 * to be explained in docs/conformance/differences.md, and each that is explained there has to be seen.
 */
import assert from 'node:assert/strict';
import process from 'node:process';
import { after, before, describe, test } from 'node:test';
import {
  startDavylamp,
  startMosquitto,
  whyNotCompared,
  writeTrustFiles,
  type TrustFiles,
} from './brokers.ts';
import { comparable } from './comparable.ts';
import { findDifferences, readDifferences, rowOf, type Difference } from './differences.ts';
import { playScenario } from './play-scenario.ts';
import { randomScript } from './random-script.ts';
import { scenarios } from './scenarios.ts';

const explained = readDifferences();
const titleOf = (name: string, version: number): string =>
  `${name}, ${version === 5 ? '5' : version === 4 ? '3.1.1' : '3.1'}`;

describe('the same packets to Mosquitto and to us', { concurrency: 4, skip: whyNotCompared }, () => {
  let trust: TrustFiles;
  before(async () => {
    trust = await writeTrustFiles();
  });
  after(() => trust[Symbol.asyncDispose]());

  for (const { name, versions, script } of scenarios) {
    for (const version of versions) {
      const title = titleOf(name, version);
      test(title, async () => {
        await using mosquitto = await startMosquitto(trust);
        await using davylamp = await startDavylamp(trust);
        const theirs = await playScenario(script, version, mosquitto);
        const ours = await playScenario(script, version, davylamp);
        assert.ok(ours.size > 0, 'nothing came at all');
        const found = findDifferences(title, theirs, ours);
        const known = explained.filter((row) => row.where.startsWith(`${title}, client `));
        const unexplained = found.filter((one) => !isIn(one, known));
        const gone = known.filter((one) => !isIn(one, found));
        assert.deepEqual(
          unexplained.map(rowOf),
          [],
          'differences that docs/conformance/differences.md does not have',
        );
        assert.deepEqual(
          gone.map(rowOf),
          [],
          'rows of docs/conformance/differences.md that are no difference any more',
        );
      });
    }
  }
});

/** `SEEDS=1000 FIRST_SEED=5000` tries others, and more. */
const seeds = Number(process.env['SEEDS'] ?? 20);
const firstSeed = Number(process.env['FIRST_SEED'] ?? 1);

describe(
  'random sequences of valid packets to Mosquitto and to us',
  { concurrency: 4, skip: whyNotCompared },
  () => {
    let trust: TrustFiles;
    before(async () => {
      trust = await writeTrustFiles();
    });
    after(() => trust[Symbol.asyncDispose]());

    for (const version of [4, 5] as const) {
      for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
        test(`version ${version}, seed ${seed}`, async () => {
          await using mosquitto = await startMosquitto(trust);
          await using davylamp = await startDavylamp(trust);
          const script = randomScript(seed, version, 60);
          const theirs = comparable(await playScenario(script, version, mosquitto));
          const ours = comparable(await playScenario(script, version, davylamp));
          const found = findDifferences(`version ${version}, seed ${seed}`, theirs, ours);
          assert.deepEqual(found.map(rowOf), [], script);
        });
      }
    }
  },
);

test('every row of the page of differences is of a scenario, and says why', () => {
  const titles = scenarios.flatMap(({ name, versions }) => versions.map((version) => titleOf(name, version)));
  for (const { where, why } of explained) {
    assert.ok(titles.includes(where.replace(/, client \w+$/, '')), `there is no scenario: ${where}`);
    assert.ok(why.length > 10, `why is not said: ${where}`);
  }
  assert.equal(new Set(titles).size, titles.length, 'two scenarios have the same name');
});

function isIn(one: Difference, list: readonly Difference[]): boolean {
  return list.some(
    (other) => other.where === one.where && other.theirs === one.theirs && other.ours === one.ours,
  );
}

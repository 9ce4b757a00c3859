import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { DavylampError } from '#base';
import { gases, percentLel, ppmOfPercentLel } from './gas.ts';
import {
  leakRates,
  maximumLeakLitresPerHour,
  mountings,
  properMounting,
  Room,
  stratificationFactor,
} from './room.ts';

const kitchen = { volume: 12, airChangesPerHour: 0.5, gas: 'methane' } as const;

function near(actual: number, expected: number, relative: number): void {
  assert.ok(
    Math.abs(actual - expected) <= Math.abs(expected) * relative + 1e-9,
    `${actual} is not near ${expected}`,
  );
}

test('the concentration follows the closed form c = Q·10⁶/(n·V)·(1 − e^(−n·t))', () => {
  const room = new Room(kitchen);
  room.leak(150);
  room.step(3600);
  near(room.meanPpm, 25_000 * (1 - Math.exp(-0.5)), 1e-12);
  room.step(48 * 3600);
  near(room.meanPpm, 25_000, 1e-9);
});

test('a closed leak airs out with the air change rate alone', () => {
  const room = new Room(kitchen);
  room.leak(150);
  room.step(7200);
  const before = room.meanPpm;
  room.leak(0);
  room.step(3600);
  near(room.meanPpm, before * Math.exp(-0.5), 1e-12);
});

test('any cutting of the time into steps gives the same concentration', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0.001, max: 5000, noNaN: true }), { minLength: 1, maxLength: 30 }),
      fc.double({ min: 0, max: 5, noNaN: true }),
      (steps, airChangesPerHour) => {
        const whole = new Room({ ...kitchen, airChangesPerHour });
        const cut = new Room({ ...kitchen, airChangesPerHour });
        whole.leak(60);
        cut.leak(60);
        whole.step(steps.reduce((sum, step) => sum + step, 0));
        for (const step of steps) cut.step(step);
        near(cut.meanPpm, whole.meanPpm, 1e-9);
      },
    ),
  );
});

test('without any air change the gas only adds up, and never beyond pure gas', () => {
  const room = new Room({ ...kitchen, airChangesPerHour: 0 });
  room.leak(120);
  room.step(3600);
  near(room.meanPpm, 10_000, 1e-12);
  room.leak(maximumLeakLitresPerHour);
  room.step(3600 * 1000);
  assert.equal(room.meanPpm, 1e6);
  assert.equal(room.ppmAt('high'), 1e6);
});

test('a burner left open in a kitchen reaches 10 % LEL at the ceiling within a quarter of an hour', () => {
  const room = new Room(kitchen);
  room.leak(leakRates.burnerLeftOpen);
  let minutes = 0;
  for (; room.percentLelAt('high') < 10; minutes++) room.step(60);
  assert.ok(minutes >= 5 && minutes <= 15, `${minutes} minutes`);
});

test('light gas gathers high, heavy gas low, and the layers keep the mean', () => {
  assert.ok(stratificationFactor('methane', 'high') > 1.5);
  assert.ok(stratificationFactor('methane', 'low') < 0.6);
  assert.ok(stratificationFactor('lpg', 'low') > 2);
  assert.ok(stratificationFactor('lpg', 'high') < 0.3);
  near(stratificationFactor('carbon-monoxide', 'breathing'), 1, 0.01);
  for (const gas of gases) {
    const best = Math.max(...mountings.map((mounting) => stratificationFactor(gas, mounting)));
    assert.equal(stratificationFactor(gas, properMounting(gas)) >= best * 0.9, true, gas);
  }
});

test('percent LEL is that of IEC 80079-20-1: methane 4.4, propane 1.7, LPG 1.6 percent by volume', () => {
  near(percentLel('methane', 4400), 10, 1e-12);
  near(percentLel('propane', 17_000), 100, 1e-12);
  near(percentLel('lpg', 1600), 10, 1e-12);
  near(percentLel('hydrogen', ppmOfPercentLel('hydrogen', 37)), 37, 1e-12);
});

test('a rate or a room that cannot be is refused', () => {
  const room = new Room(kitchen);
  for (const rate of [-1, Number.NaN, Infinity, maximumLeakLitresPerHour + 1]) {
    assert.throws(
      () => room.leak(rate),
      (error) => error instanceof DavylampError && error.code === 'USAGE',
    );
  }
  assert.throws(() => new Room({ ...kitchen, volume: 0 }), /volume 0 m³/);
  assert.throws(() => new Room({ ...kitchen, airChangesPerHour: -1 }), /air changes/);
});

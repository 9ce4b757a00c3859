import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Gas } from './gas.ts';
import { climateFactor, mqFacts, mqModels, mqRatio, type MqModel } from './mq-curves.ts';
import { MqSensor, type MqSensorOptions } from './mq-sensor.ts';
import { Random } from './random.ts';

const cleanAir: ReadonlyMap<Gas, number> = new Map();

function sensor(options: Partial<MqSensorOptions> = {}): MqSensor {
  return new MqSensor({
    model: 'MQ-2',
    start: 'warm',
    random: new Random(1),
    trip: { gas: 'methane', ppm: 4400 },
    ...options,
  });
}

function near(actual: number, expected: number, relative: number): void {
  assert.ok(Math.abs(actual - expected) <= expected * relative, `${actual} is not near ${expected}`);
}

test('points of the data sheets: Rs/R0 at 1,000 and 5,000 ppm', () => {
  const points: readonly (readonly [MqModel, Gas, number, number])[] = [
    ['MQ-2', 'hydrogen', 0.99, 0.47],
    ['MQ-2', 'lpg', 0.78, 0.38],
    ['MQ-2', 'propane', 0.83, 0.39],
    ['MQ-2', 'methane', 1.8, 0.97],
    ['MQ-2', 'carbon-monoxide', 3.19, 1.9],
    ['MQ-2', 'alcohol', 1.62, 0.89],
    ['MQ-4', 'methane', 1.005, 0.564],
    ['MQ-5', 'methane', 0.51, 0.27],
    ['MQ-6', 'lpg', 1, 0.51],
  ];
  for (const [model, gas, at1000, at5000] of points) {
    // The clean-air term pulls the highest ratios down a little: up to 4 % at r = 3.
    near(mqRatio(model, new Map([[gas, 1000]])), at1000, 0.05);
    near(mqRatio(model, new Map([[gas, 5000]])), at5000, 0.03);
  }
});

test('clean air gives exactly the clean-air ratio', () => {
  for (const model of mqModels) near(mqRatio(model, cleanAir), mqFacts[model].cleanAirRatio, 1e-12);
});

test('more gas of any kind always means a lower resistance, in the widest range', () => {
  for (const model of mqModels) {
    for (const gas of mqFacts[model].curves.keys()) {
      let previous = mqRatio(model, cleanAir);
      for (const ppm of [1, 100, 10_000, 1e6]) {
        const ratio = mqRatio(model, new Map([[gas, ppm]]));
        assert.ok(ratio > 0 && ratio <= previous, `${model} ${gas} ${ppm}: ${ratio}`);
        previous = ratio;
      }
    }
  }
});

test('the climate factor agrees with the published points', () => {
  const points = [
    [-10, 33, 1.5],
    [0, 33, 1.33],
    [20, 33, 1.08],
    [20, 85, 0.91],
    [40, 65, 0.9],
    [50, 85, 0.84],
  ] as const;
  for (const [celsius, humidity, factor] of points) near(climateFactor(celsius, humidity), factor, 0.012);
});

test('the sensor follows a rise with 8 s and a fall with 30 s', () => {
  const quiet = { next: () => 0.5, gaussian: () => 0 } as unknown as Random;
  const one = sensor({ random: quiet });
  const gas = new Map<Gas, number>([['methane', 10_000]]);
  one.step(8, gas);
  near(one.ratio, mqRatio('MQ-2', new Map([['methane', 10_000 * (1 - Math.exp(-1))]])), 1e-9);
  one.step(1000, gas);
  one.step(30, cleanAir);
  near(one.ratio, mqRatio('MQ-2', new Map([['methane', 10_000 * Math.exp(-1)]])), 1e-9);
});

test('the output trips at its set-point, holds above 80 % of it, and lets go below', () => {
  const one = sensor();
  const settle = (ppm: number): number => {
    one.step(1000, new Map([['methane', ppm]]));
    return one.digital;
  };
  assert.equal(settle(0), 0);
  assert.equal(settle(3900), 0);
  assert.equal(settle(4900), 1);
  assert.equal(settle(3900), 1, 'hysteresis');
  assert.equal(settle(3100), 0);
});

test('noise does not make the output flutter between set-point and release', () => {
  const one = sensor({ random: new Random(99) });
  let changes = 0;
  let before = one.digital;
  for (let n = 0; n < 5000; n++) {
    one.step(1, new Map([['methane', 4000]]));
    if (one.digital !== before) changes++;
    before = one.digital;
  }
  assert.ok(changes <= 1, `${changes} changes`);
});

test('a cold sensor reads gas first, then clean air within two minutes, for good', () => {
  const one = sensor({ start: 'cold', random: new Random(5) });
  assert.equal(one.digital, 1);
  const outputs: number[] = [];
  for (let second = 1; second <= 300; second++) {
    one.step(1, cleanAir);
    outputs.push(one.digital);
  }
  const cleared = outputs.indexOf(0);
  assert.ok(cleared > 45 && cleared < 120, `cleared after ${cleared} s`);
  assert.ok(outputs.slice(cleared).every((value) => value === 0));
  one.step(200, cleanAir);
  near(one.ratio, 9.83, 0.06);
});

test('a warm sensor reads clean air from the start', () => {
  assert.equal(sensor().digital, 0);
});

test('without power it reads 1, and is cold when the power returns', () => {
  const one = sensor();
  one.power('off');
  assert.equal(one.digital, 1);
  assert.equal(one.volts, 0);
  one.step(10, cleanAir);
  assert.equal(one.digital, 1);
  one.power('on');
  assert.equal(one.digital, 1, 'cold');
  one.step(400, cleanAir);
  assert.equal(one.digital, 0);
});

test('the same seed gives the same voltages', () => {
  const run = (seed: number): number[] => {
    const one = sensor({ random: new Random(seed) });
    return Array.from({ length: 50 }, () => {
      one.step(0.5, new Map([['methane', 2000]]));
      return one.volts;
    });
  };
  assert.deepEqual(run(3), run(3));
  assert.notDeepEqual(run(3), run(4));
});

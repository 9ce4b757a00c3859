import type { Gas } from './gas.ts';

export const mqModels = ['MQ-2', 'MQ-4', 'MQ-5', 'MQ-6'] as const;
export type MqModel = (typeof mqModels)[number];

/** A line of a data sheet: ppm = a · r^b with r = Rs/R0; b is negative. */
export interface MqCurve {
  readonly a: number;
  readonly b: number;
}

export interface MqFacts {
  /** Rs/R0 in clean air. */
  readonly cleanAirRatio: number;
  /** Whose |b| is the exponent by which gases add up. */
  readonly primary: Gas;
  readonly curves: ReadonlyMap<Gas, MqCurve>;
}

/**
 * Data-sheet curves as digitised by two open libraries (MQSensorsLib; MQ-2 methane: TroykaMQ). They are indicative:
 * two fits of one curve differ by a quarter, two sensors of one type by more. Very large `a` are curves that are
 * nearly flat, of use only as cross-sensitivity.
 */
export const mqFacts: Readonly<Record<MqModel, MqFacts>> = {
  'MQ-2': {
    cleanAirRatio: 9.83,
    primary: 'lpg',
    curves: new Map<Gas, MqCurve>([
      ['hydrogen', { a: 987.99, b: -2.162 }],
      ['lpg', { a: 574.25, b: -2.222 }],
      ['propane', { a: 658.71, b: -2.168 }],
      ['methane', { a: 4663, b: -2.632 }],
      ['carbon-monoxide', { a: 36_974, b: -3.109 }],
      ['alcohol', { a: 3616.1, b: -2.675 }],
    ]),
  },
  'MQ-4': {
    cleanAirRatio: 4.4,
    primary: 'methane',
    curves: new Map<Gas, MqCurve>([
      ['methane', { a: 1012.7, b: -2.786 }],
      ['lpg', { a: 3811.9, b: -3.113 }],
      ['carbon-monoxide', { a: 2e14, b: -19.05 }],
      ['alcohol', { a: 6e10, b: -14.01 }],
    ]),
  },
  'MQ-5': {
    cleanAirRatio: 6.5,
    primary: 'lpg',
    curves: new Map<Gas, MqCurve>([
      ['hydrogen', { a: 1163.8, b: -3.874 }],
      ['lpg', { a: 80.897, b: -2.431 }],
      ['methane', { a: 177.65, b: -2.56 }],
      ['carbon-monoxide', { a: 491_204, b: -5.826 }],
      ['alcohol', { a: 97_124, b: -4.918 }],
    ]),
  },
  'MQ-6': {
    cleanAirRatio: 10,
    primary: 'lpg',
    curves: new Map<Gas, MqCurve>([
      ['lpg', { a: 1009.2, b: -2.35 }],
      ['methane', { a: 2127.2, b: -2.526 }],
      ['hydrogen', { a: 88_158, b: -3.597 }],
      ['carbon-monoxide', { a: 1e15, b: -13.5 }],
      ['alcohol', { a: 5e7, b: -6.017 }],
    ]),
  },
};

/**
 * Rs/R0 of a warm sensor in a mixture of gases:
 * `1/r = (r_air^−p + Σ ((c/a)^(1/|b|))^p)^(1/p)` with p = |b| of the primary gas. It gives the clean-air ratio exactly at c = 0
 * and the data sheet's line where one gas dominates. A gas without a curve is not seen.
 */
export function mqRatio(model: MqModel, concentrations: ReadonlyMap<Gas, number>): number {
  const { cleanAirRatio, primary, curves } = mqFacts[model];
  const p = Math.abs(curves.get(primary)?.b ?? 1);
  let sum = cleanAirRatio ** -p;
  for (const [gas, ppm] of concentrations) {
    const curve = curves.get(gas);
    // In logarithms: `a` of a flat curve is so large that powers of it would leave the range of a number.
    if (curve !== undefined && ppm > 0) sum += Math.exp((p * Math.log(ppm / curve.a)) / Math.abs(curve.b));
  }
  return sum ** (-1 / p);
}

/** Rs multiplier of temperature and humidity, 1 at 20 °C and 65 %. The MQ-9 polynomial, approximate for the others. */
export function climateFactor(celsius: number, relativeHumidity: number): number {
  return climate(celsius, relativeHumidity) / climate(20, 65);
}

function climate(t: number, h: number): number {
  return (
    1.26364 - 0.0154113 * t + 1.42345e-4 * t * t - 2.667e-7 * h - 3.14725e-5 * h * h + 3.59555e-5 * t * h
  );
}

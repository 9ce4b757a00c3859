export const gases = [
  'methane',
  'propane',
  'butane',
  'lpg',
  'hydrogen',
  'carbon-monoxide',
  'alcohol',
] as const;
export type Gas = (typeof gases)[number];

interface GasFacts {
  /** Lower explosive limit, percent by volume: IEC 80079-20-1 practice. `lpg` is a mixture, its value customary. */
  readonly lowerExplosiveLimit: number;
  /** Density of the gas over that of air at the same temperature and pressure. */
  readonly relativeDensity: number;
}

/** What the models need to know of a gas. */
export const gasFacts = {
  methane: { lowerExplosiveLimit: 4.4, relativeDensity: 0.55 },
  propane: { lowerExplosiveLimit: 1.7, relativeDensity: 1.56 },
  butane: { lowerExplosiveLimit: 1.4, relativeDensity: 2 },
  lpg: { lowerExplosiveLimit: 1.6, relativeDensity: 1.75 },
  hydrogen: { lowerExplosiveLimit: 4, relativeDensity: 0.07 },
  'carbon-monoxide': { lowerExplosiveLimit: 10.9, relativeDensity: 0.97 },
  alcohol: { lowerExplosiveLimit: 3.1, relativeDensity: 1.6 },
} as const satisfies Record<Gas, GasFacts>;

/** Percent of the lower explosive limit (IEC 80079-20-1) of a concentration in ppm by volume. */
export function percentLel(gas: Gas, ppm: number): number {
  return ppm / (gasFacts[gas].lowerExplosiveLimit * 100);
}

/** The concentration in ppm by volume at a percentage of the lower explosive limit (IEC 80079-20-1). */
export function ppmOfPercentLel(gas: Gas, percent: number): number {
  return percent * gasFacts[gas].lowerExplosiveLimit * 100;
}

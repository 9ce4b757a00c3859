import { DavylampError } from '#base';
import { gasFacts, percentLel, type Gas } from './gas.ts';

/** Where a detector hangs. Light gas is found high, heavy gas low; `breathing` is the height of a head. */
export const mountings = ['high', 'breathing', 'low'] as const;
export type Mounting = (typeof mountings)[number];

const mountingHeight = { high: 0.95, breathing: 0.5, low: 0.05 } as const satisfies Record<Mounting, number>;

/** How steep the layers are for a gas of density 0, a plain assumption: still air in a closed room of usual height. */
const layering = 4;

/** Leaks to try, in litres of gas per hour. */
export const leakRates = { pinhole: 5, burnerLeftOpen: 150, pipeBreak: 2000 } as const;

/** The most that a leak can be asked to give, in litres per hour: 50 m³/h, more than a house's supply carries. */
export const maximumLeakLitresPerHour = 50_000;

export interface RoomOptions {
  /** Cubic metres. */
  readonly volume: number;
  /** How often the room's air is replaced by fresh air, per hour. */
  readonly airChangesPerHour: number;
  readonly gas: Gas;
}

/**
 * A room with one gas supply that may leak. Well mixed as a whole:
 *
 *     dc/dt = (Q·10⁶ / V − n·c) / 3600        c ppm, Q m³/h, V m³, n air changes per hour, t seconds
 *
 * solved exactly, so that a step may have any length. Over the height the gas lies in an exponential layer whose mean
 * is `c`. Nothing ever ignites here.
 */
export class Room {
  readonly options: RoomOptions;
  #meanPpm = 0;
  #leakLitresPerHour = 0;

  constructor(options: RoomOptions) {
    if (!(options.volume > 0 && Number.isFinite(options.volume))) {
      throw new DavylampError('USAGE', `room: volume ${options.volume} m³ must be greater than 0`);
    }
    if (!(options.airChangesPerHour >= 0 && Number.isFinite(options.airChangesPerHour))) {
      throw new DavylampError(
        'USAGE',
        `room: air changes per hour ${options.airChangesPerHour} must be 0 or more`,
      );
    }
    this.options = options;
  }

  /** Litres of gas per hour; 0 = closed. */
  get leakLitresPerHour(): number {
    return this.#leakLitresPerHour;
  }

  /** Concentration in ppm by volume if the room were stirred. */
  get meanPpm(): number {
    return this.#meanPpm;
  }

  /** Opens the leak, changes its rate, or closes it (0). Throws USAGE for a rate that is no rate. */
  leak(litresPerHour: number): void {
    if (!(litresPerHour >= 0 && litresPerHour <= maximumLeakLitresPerHour)) {
      throw new DavylampError(
        'USAGE',
        `leak: ${litresPerHour} litres per hour is not between 0 and ${maximumLeakLitresPerHour}`,
      );
    }
    this.#leakLitresPerHour = litresPerHour;
  }

  /** Lets `seconds` of the room's time pass. */
  step(seconds: number): void {
    if (!(seconds > 0)) return;
    const { volume, airChangesPerHour } = this.options;
    const hours = seconds / 3600;
    const ppmPerHour = ((this.#leakLitresPerHour / 1000) * 1e6) / volume;
    const exponent = airChangesPerHour * hours;
    const exchanged = -Math.expm1(-exponent);
    // (1 − e^(−x)) / x is 1 where x is nothing: no air change, or a step too short to matter.
    const added = ppmPerHour * hours * (exponent < 1e-12 ? 1 : exchanged / exponent);
    this.#meanPpm = Math.min(this.#meanPpm * (1 - exchanged) + added, 1e6);
  }

  /** Concentration in ppm by volume where a detector hangs. */
  ppmAt(mounting: Mounting): number {
    return Math.min(this.#meanPpm * stratificationFactor(this.options.gas, mounting), 1e6);
  }

  /** Percent of the lower explosive limit where a detector hangs. */
  percentLelAt(mounting: Mounting): number {
    return percentLel(this.options.gas, this.ppmAt(mounting));
  }
}

/**
 * Concentration at a height over the room's mean: `β·e^(β·h) / (e^β − 1)` with h from 0 (floor) to 1 (ceiling), whose
 * mean over h is 1, and β in proportion to the buoyancy.
 */
export function stratificationFactor(gas: Gas, mounting: Mounting): number {
  const beta = layering * (1 - gasFacts[gas].relativeDensity);
  return Math.abs(beta) < 1e-9 ? 1 : (beta * Math.exp(beta * mountingHeight[mounting])) / Math.expm1(beta);
}

/** Where a detector for this gas belongs: high below 0.9 of the air's density, low above 1.1, else at head height. */
export function properMounting(gas: Gas): Mounting {
  const density = gasFacts[gas].relativeDensity;
  if (density < 0.9) return 'high';
  return density > 1.1 ? 'low' : 'breathing';
}

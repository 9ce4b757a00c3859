import type { Gas } from './gas.ts';
import { climateFactor, mqFacts, mqRatio, type MqModel } from './mq-curves.ts';
import type { Random } from './random.ts';

/** How a sensor is when its story begins: heated for a day, or just switched on. */
export const startConditions = ['warm', 'cold'] as const;
export type StartCondition = (typeof startConditions)[number];

export interface MqSensorOptions {
  readonly model: MqModel;
  readonly start: StartCondition;
  readonly random: Random;
  /** The potentiometer: the module's output trips at this concentration of this gas. */
  readonly trip: { readonly gas: Gas; readonly ppm: number };
  /** Degrees Celsius; 20 unless said. */
  readonly celsius?: number;
  /** Percent; 65 unless said. */
  readonly relativeHumidity?: number;
}

/** Seconds: the sensing layer follows a rise and a fall of the gas with these time constants. */
const riseSeconds = 8;
const fallSeconds = 30;
/** Seconds: time constant with which a heated layer loses what it took up while it was cold. */
const warmUpSeconds = 60;
/**
 * A layer that was just switched on conducts this many times more on top of its own. With 30, clean air reads as more
 * than 10 % LEL for about a minute and a half and is within 3 % of its true value after seven minutes.
 */
const coldExcess = 30;
/** Seconds heated of a sensor that starts warm: a day, its first burn-in done. */
const warmHeatedSeconds = 86_400;
/** Standard deviation of the resistance. */
const noise = 0.01;
/** The comparator lets go when the gas has fallen to this share of the trip concentration. */
const releaseShare = 0.8;
/** Ohms: the layer at r = 1 and the load resistor of the divider, whose best value is near the middle of the range. */
const referenceOhms = 10_000;
const loadOhms = 10_000;
/** Volts over sensor and load. */
const supplyVolts = 5;

/**
 * A gas sensor of the MQ family on its module: sensing layer, heater, divider, and a comparator with a digital output
 * that reads 1 for gas, and also without power: no supply must never look like clean air.
 */
export class MqSensor {
  readonly #options: MqSensorOptions;
  readonly #tripVolts: number;
  readonly #releaseVolts: number;
  /** Concentration that the layer has followed to, per gas. */
  readonly #followed = new Map<Gas, number>();
  #heatedSeconds: number;
  #powered = true;
  #volts = 0;
  #tripped = false;

  constructor(options: MqSensorOptions) {
    const { gas, ppm } = options.trip;
    this.#options = options;
    this.#heatedSeconds = options.start === 'warm' ? warmHeatedSeconds : 0;
    this.#tripVolts = dividerVolts(mqRatio(options.model, new Map([[gas, ppm]])) * referenceOhms);
    this.#releaseVolts = dividerVolts(
      mqRatio(options.model, new Map([[gas, ppm * releaseShare]])) * referenceOhms,
    );
    this.#measure();
  }

  /** Volts at the load resistor: what an analogue input would see. 0 without power. */
  get volts(): number {
    return this.#volts;
  }

  /** Rs/R0 as the voltage tells it, noise, warm-up and climate included. Infinite without power. */
  get ratio(): number {
    return (loadOhms * (supplyVolts / this.#volts - 1)) / referenceOhms;
  }

  /** The module's digital output: 1 = gas, or no power. */
  get digital(): 0 | 1 {
    return this.#tripped || !this.#powered ? 1 : 0;
  }

  /** Switches the module's supply. A sensor that gets its power back is cold. */
  power(state: 'on' | 'off'): void {
    if (state === 'on' && !this.#powered) this.#heatedSeconds = 0;
    this.#powered = state === 'on';
    this.#measure();
  }

  /** Lets `seconds` pass in an atmosphere of these concentrations (ppm by volume). */
  step(seconds: number, atmosphere: ReadonlyMap<Gas, number>): void {
    if (!(seconds > 0)) return;
    for (const gas of mqFacts[this.#options.model].curves.keys()) {
      const now = this.#followed.get(gas) ?? 0;
      const target = atmosphere.get(gas) ?? 0;
      const timeConstant = target > now ? riseSeconds : fallSeconds;
      this.#followed.set(gas, target + (now - target) * Math.exp(-seconds / timeConstant));
    }
    if (this.#powered) this.#heatedSeconds += seconds;
    this.#measure();
  }

  #measure(): void {
    if (!this.#powered) {
      this.#volts = 0;
      return;
    }
    const { model, random, celsius = 20, relativeHumidity = 65 } = this.#options;
    const coldness = 1 + coldExcess * Math.exp(-this.#heatedSeconds / warmUpSeconds);
    const ratio = (mqRatio(model, this.#followed) / coldness) * climateFactor(celsius, relativeHumidity);
    this.#volts = dividerVolts(ratio * referenceOhms * Math.max(0.5, 1 + noise * random.gaussian()));
    if (this.#volts >= this.#tripVolts) this.#tripped = true;
    else if (this.#volts <= this.#releaseVolts) this.#tripped = false;
  }
}

/** Rs = RL·(Vc/V − 1), the other way round. */
function dividerVolts(sensorOhms: number): number {
  return (supplyVolts * loadOhms) / (loadOhms + sensorOhms);
}

import type { BrokerAdapter, Door } from './brokers/broker-adapter.ts';

/** Something that is measured in the same way for several contestants, who take turns. */
export interface Bench {
  readonly name: string;
  readonly group: string;
  /** For people. */
  readonly description: string;
  /** The first one is whom the others are compared with. */
  readonly contestants: readonly Contestant[];
  readonly columns: readonly Column[];
  readonly comparison: Comparison;
  readonly goals: readonly Goal[];
  /** Once for each contestant and round. Rejects where this contestant cannot be measured. */
  measure(contestant: Contestant, context: RunContext): Promise<Measurement>;
}

/** A broker, set up and loaded in one way. */
export interface Contestant {
  readonly label: string;
  readonly broker: BrokerAdapter;
  readonly door: Door;
  /** Text of an access list; absent = none. */
  readonly accessRules?: string;
  /** For the load generator, after the bench's own. */
  readonly loadOptions: readonly string[];
}

/** Figures of one round by name. */
export type Measurement = Readonly<Record<string, number>>;

/** A figure as a table shows it: the median of all rounds, or their sum. */
export interface Column {
  readonly key: string;
  readonly title: string;
  readonly digits: number;
  readonly form: 'median' | 'spread' | 'sum';
}

/** The last column of a table: the first contestant's figure by that of each other one, or the other way round. */
export interface Comparison {
  readonly key: string;
  readonly title: string;
  readonly of: 'first by other' | 'other by first';
}

/** A figure to reach: of `label` alone, or, where `against` is given, by that of another contestant. */
export interface Goal {
  readonly label: string;
  readonly against?: string;
  readonly key: string;
  readonly atMost: number;
  /** Before the bound: `CPU per message against mosquitto`. */
  readonly text: string;
}

/** What a run has made ready. */
export interface RunContext {
  readonly mqload: string;
  /** Measured in each round. */
  readonly seconds: number;
  /** Files of this run, removed after it. */
  readonly folder: string;
  readonly authorityFile: string;
  readonly certificateFile: string;
  readonly keyFile: string;
}

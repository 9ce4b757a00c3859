import { aedes } from './aedes.ts';
import type { BrokerAdapter } from './broker-adapter.ts';
import { davylamp } from './davylamp.ts';
import { floor } from './floor.ts';
import { mosquitto } from './mosquitto.ts';

/** Ours first: the others are compared with it. */
export const adapters: readonly BrokerAdapter[] = [davylamp, mosquitto, aedes, floor];

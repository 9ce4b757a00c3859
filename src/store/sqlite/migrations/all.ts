import type { Migration } from '../migrate.ts';
import { firstSchema } from './0001-first-schema.ts';

/** Every migration, by number. A released one is never changed. */
export const migrations: readonly Migration[] = [firstSchema];

/**
 * Level 3: databases behind one port. `ReadingStore` is the port; `openSqliteStore` is the adapter that is built in.
 */
export type { Awaitable, MessageKey, ReadingStore, StoreCounts } from './reading-store.ts';
export { openSqliteStore, type SqliteStoreOptions } from './sqlite/open.ts';
export type { SqliteStore } from './sqlite/sqlite-store.ts';

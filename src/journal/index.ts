/** Level 3: what the broker must not forget. So far in memory only. */
export { MemoryJournal } from './memory-journal.ts';

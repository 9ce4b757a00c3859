/**
 * Level 3: what the broker must not forget. `FileJournal` keeps it in an append-only log, `MemoryJournal` as long as
 * the process lives. docs/reference/journal-format.md describes the files, docs/decisions/0006-journal.md the choice.
 */
export type { FileJournal, JournalStatistics } from './file-journal.ts';
export { inspectJournal, type JournalReport, type SegmentReport } from './inspect-journal.ts';
export { MemoryJournal } from './memory-journal.ts';
export { openJournal, type JournalOptions } from './open-journal.ts';
export { repairJournal, type RepairReport } from './repair-journal.ts';

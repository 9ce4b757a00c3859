/** A limit that SQLite takes: whole and not negative (a negative one would mean all rows). */
export function rowLimit(limit: number): number {
  return Number.isFinite(limit) ? Math.min(Math.max(Math.trunc(limit), 0), 1_000_000) : 0;
}

/** SQLite's rows have no prototype; callers get ordinary objects. The type is the query's own promise. */
export function plainRows<T>(rows: readonly Record<string, unknown>[]): T[] {
  return rows.map((row) => Object.assign({}, row) as T);
}

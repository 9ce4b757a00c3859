/**
 * The first half of a reload of one part: everything is read, checked and opened, nothing has changed yet. Either `commit`
 * or `abort` is called, once.
 */
export interface PreparedChange {
  /** What a person should know: what is odd, and what changes only at the next start. */
  readonly warnings: readonly string[];
  /** Makes it so. Cannot fail. */
  commit(): void;
  /** Closes what was opened for it. */
  abort(): Promise<void>;
}

/** Prepares one part. Rejects, and has undone its own half, when the part cannot become what is asked. */
export type Preparation = () => Promise<PreparedChange>;

/** Prepares all parts in order: when one cannot, the ones before it are undone and its error is passed on. */
export async function prepareAll(preparations: readonly Preparation[]): Promise<PreparedChange> {
  const prepared: PreparedChange[] = [];
  const abort = async (): Promise<void> => {
    for (const change of prepared.toReversed()) await change.abort();
  };
  try {
    for (const prepare of preparations) prepared.push(await prepare());
  } catch (error) {
    await abort();
    throw error;
  }
  return {
    warnings: prepared.flatMap((change) => change.warnings),
    commit() {
      for (const change of prepared) change.commit();
    },
    abort,
  };
}

/** What a shared subscription's filter begins with (MQTT 5, 4.8.2). */
export const sharePrefix = '$share/';

/** The two parts of `$share/<group>/<filter>`. */
export interface SharedFilter {
  readonly group: string;
  readonly filter: string;
}

/** The parts of a shared subscription's filter, or `null` for any other. The filter has passed `topicFilterFault`. */
export function parseShare(filter: string): SharedFilter | null {
  if (!filter.startsWith(sharePrefix)) return null;
  const end = filter.indexOf('/', sharePrefix.length);
  if (end === -1) return null;
  return { group: filter.slice(sharePrefix.length, end), filter: filter.slice(end + 1) };
}

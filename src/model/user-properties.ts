import type { UserProperty } from '#mqtt';

/** Begins the names of properties that brokers put on messages themselves: the stamp, and brokers on the way. */
const ownPrefix = 'davy-';
/** Room for them: a stamp, and two for each of 16 bridges. */
const ownMaximum = 40;

/**
 * More user properties than a packet may have. What brokers have added on its way does not count, within bounds: else a
 * message that was just within them would be refused by the next broker, over and over.
 */
export function hasTooManyProperties(properties: readonly UserProperty[], maximum: number): boolean {
  if (properties.length <= maximum) return false;
  let own = 0;
  for (const [name] of properties) if (name.startsWith(ownPrefix)) own++;
  return properties.length - Math.min(own, ownMaximum) > maximum;
}

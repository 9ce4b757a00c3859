import { parseName, stampProperty, type EpochMs, type Stamp } from '#model';
import type { UserProperty } from '#mqtt';

/** Properties beyond this many are not looked at: a site's broker puts its own last, after what a detector may send. */
const maximumProperties = 64;

/** The latest time that a `Date` can hold. */
const maximumTime = 8.64e15;

/** A stamp further ahead of this machine's time than this is not believed, in milliseconds. */
export const clockToleranceMs = 30_000;

/**
 * Reads the stamp that a site's broker put on a message. What is missing, repeated or malformed makes no stamp at all:
 * half a stamp would give a reading a wrong hour or a wrong identity.
 */
export function readStamp(properties: readonly UserProperty[] | undefined): Stamp | undefined {
  if (properties === undefined || properties.length < 3 || properties.length > maximumProperties)
    return undefined;
  let site: string | undefined;
  let received: string | undefined;
  let id: string | undefined;
  let mayBeRepeat = false;
  for (const [name, value] of properties) {
    if (name === stampProperty.site) {
      if (site !== undefined) return undefined;
      site = value;
    } else if (name === stampProperty.received) {
      if (received !== undefined) return undefined;
      received = value;
    } else if (name === stampProperty.id) {
      if (id !== undefined) return undefined;
      id = value;
    } else if (name === stampProperty.repeat) mayBeRepeat = true;
  }
  if (site === undefined || received === undefined || id === undefined) return undefined;
  const receivedAt = parseTime(received);
  if (receivedAt === undefined || !isStampId(id) || parseName(site) === undefined) return undefined;
  return mayBeRepeat ? { site, receivedAt, id, mayBeRepeat } : { site, receivedAt, id };
}

/**
 * Whether message `a` was accepted by its site after message `b`. The site's own count decides where both have one of
 * the same start of the broker, so that a clock that is set back, and several in one millisecond, deceive nobody.
 */
export function isLater(
  aStampId: string,
  aReceivedAt: EpochMs,
  bStampId: string,
  bReceivedAt: EpochMs,
): boolean {
  const dash = aStampId.indexOf('-');
  if (dash > 0 && bStampId.startsWith(aStampId.slice(0, dash + 1))) {
    if (aStampId.length !== bStampId.length) return aStampId.length > bStampId.length;
    return aStampId > bStampId;
  }
  return aReceivedAt > bReceivedAt;
}

function parseTime(text: string): EpochMs | undefined {
  if (text.length === 0 || text.length > 16) return undefined;
  let value = 0;
  for (let i = 0; i < text.length; i += 1) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  return value > 0 && value <= maximumTime ? value : undefined;
}

/** `<run of the broker>-<count, base 36>`, each of 1 to 16 digits; the count without leading zeros, so that it sorts. */
function isStampId(text: string): boolean {
  const dash = text.indexOf('-');
  if (dash < 1 || dash > 16 || text.length - dash < 2 || text.length - dash > 17) return false;
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    const isDigit = (code >= 48 && code <= 57) || (code >= 97 && code <= 122);
    if (!isDigit && i !== dash) return false;
  }
  return text.charCodeAt(dash + 1) !== 48 || text.length === dash + 2;
}

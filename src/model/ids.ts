/**
 * Branded names. The functions here are the only casts; whoever holds a branded value knows that it was checked.
 */
declare const brand: unique symbol;
type Brand<T, B extends string> = T & { readonly [brand]: B };

/** Milliseconds since 1970, UTC. */
export type EpochMs = number;

/**
 * Names a device in URLs, rows and topics: twelve lower-case hexadecimal digits of the true MAC for a legacy detector
 * (`5ccf7f1418ad`), `<site>.<device>` for one that speaks native topics (`north.host`).
 */
export type DeviceId = Brand<string, 'DeviceId'>;

/** A name that may stand in a topic level and in a URL: 1–64 of `A-Z a-z 0-9 _ . -`, not beginning with a dot. */
export type Name = Brand<string, 'Name'>;

const namePattern = /^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}$/;

export function parseName(text: string): Name | undefined {
  return namePattern.test(text) ? (text as Name) : undefined;
}

export function parseDeviceId(text: string): DeviceId | undefined {
  return text.length <= 129 && /^[A-Za-z0-9_-][A-Za-z0-9_.-]*$/.test(text) ? (text as DeviceId) : undefined;
}

/** `5C:CF:7F:14:18:AD` → `5ccf7f1418ad`. The text must be a MAC address in colon form. */
export function deviceIdOfMac(mac: string): DeviceId {
  return mac.replaceAll(':', '').toLowerCase() as DeviceId;
}

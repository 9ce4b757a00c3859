import { legacyInPrefix, legacyOutPrefix } from '#model';

/** The firmware formats into a buffer of this many bytes; what is longer is cut. */
const maximumTextBytes = 140;

export interface LegacyReading {
  readonly sequence: number;
  /** `Gas`, `Temperature`, … */
  readonly sensorType: string;
  readonly ip: string;
  /** As the firmware prints it: see `reversedMac`. */
  readonly macSent: string;
  readonly value: 0 | 1;
  readonly requested: boolean;
}

/** `495-Gas Sensor IP:192.168.1.11 MAC:AD:18:14:7F:CF:5C Reading value=0`, behind `REQUESTED-` when it was asked for. */
export function legacyReadingText(reading: LegacyReading): string {
  const { sequence, sensorType, ip, macSent, value, requested } = reading;
  const text = `${sequence}-${sensorType} Sensor IP:${ip} MAC:${macSent} Reading value=${value}`;
  return (requested ? `REQUESTED-${text}` : text).slice(0, maximumTextBytes);
}

/** What a detector says at each connection before anything else. */
export function legacyHelloText(sensorType: string): string {
  return `IOT ${sensorType} sensor prompt, HELLO!`.slice(0, maximumTextBytes);
}

/** The firmware prints the bytes of its MAC from last to first: `5C:CF:7F:14:18:AD` → `AD:18:14:7F:CF:5C`. */
export function reversedMac(mac: string): string {
  return mac.toUpperCase().split(':').reverse().join(':');
}

/** Where a detector speaks. */
export function legacyOutTopic(siteAddress: string, deviceAddress: string): string {
  return `${legacyOutPrefix}/${siteAddress}/${deviceAddress}`;
}

/** Where a detector listens. */
export function legacyInTopic(siteAddress: string, deviceAddress: string): string {
  return `${legacyInPrefix}/${siteAddress}/${deviceAddress}`;
}

export type LegacyCommand =
  | { readonly kind: 'request' }
  | { readonly kind: 'sleep'; readonly seconds: number };

/** Milliseconds in the firmware are 32 bits wide: about 49 days. */
const maximumSleepSeconds = 4_294_967;

/** `Request` or `Sleep<n>-` with n seconds in plain decimal, fractions allowed. Anything else is `undefined`. */
export function parseLegacyCommand(text: string): LegacyCommand | undefined {
  if (text === 'Request') return { kind: 'request' };
  if (text.length > 24 || !/^Sleep(?:\d+(?:\.\d*)?|\.\d+)-$/.test(text)) return undefined;
  const seconds = Number(text.slice('Sleep'.length, -1));
  return seconds > 0 && seconds <= maximumSleepSeconds ? { kind: 'sleep', seconds } : undefined;
}

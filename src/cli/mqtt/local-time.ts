import { strftime } from '#base';

/** A moment in the local time zone, as `-F` and JSON output need it. */
export interface LocalTime {
  readonly date: Date;
  /** Nanoseconds of the second. */
  readonly nanoseconds: number;
}

/** Splits nanoseconds since 1970 into a date and the rest of its second. */
export function localTime(nanosecondsSince1970: bigint): LocalTime {
  return {
    date: new Date(Number(nanosecondsSince1970 / 1_000_000n)),
    nanoseconds: Number(nanosecondsSince1970 % 1_000_000_000n),
  };
}

/** One conversion of strftime(3), by its letter. An unknown one gives itself behind `%`, as the C library does. */
export function timeField(letter: string, { date, nanoseconds }: LocalTime): string {
  return letter === 'N' ? String(nanoseconds).padStart(9, '0') : strftime(`%${letter}`, date);
}

/** `2020-05-06T21:48:00+0100`. */
export function isoTime({ date }: LocalTime): string {
  return strftime('%Y-%m-%dT%H:%M:%S%z', date);
}

/** With microseconds: `2020-05-06T21:48:00.123456+0100`. */
export function isoTimeWithMicroseconds({ date, nanoseconds }: LocalTime): string {
  const micro = String(Math.floor(nanoseconds / 1000)).padStart(6, '0');
  return strftime(`%Y-%m-%dT%H:%M:%S.${micro}%z`, date);
}

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

const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const months = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

type Conversion = (date: Date) => string;

const two = (value: number): string => String(value).padStart(2, '0');
const blank = (value: number): string => String(value).padStart(2);
const hour12 = (date: Date): number => date.getHours() % 12 || 12;
const dayOfWeek = (date: Date): string => days[date.getDay()] ?? '';
const month = (date: Date): string => months[date.getMonth()] ?? '';
const clock = (date: Date): string =>
  `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
const americanDate = (date: Date): string =>
  `${two(date.getMonth() + 1)}/${two(date.getDate())}/${two(date.getFullYear() % 100)}`;
const isoDate = (date: Date): string =>
  `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
const halfOfDay = (date: Date): string => (date.getHours() < 12 ? 'AM' : 'PM');

/** The conversions of strftime(3) in the C locale, without modifiers. */
const conversions: ReadonlyMap<string, Conversion> = new Map<string, Conversion>([
  ['%', () => '%'],
  ['a', (date) => dayOfWeek(date).slice(0, 3)],
  ['A', dayOfWeek],
  ['b', (date) => month(date).slice(0, 3)],
  ['B', month],
  [
    'c',
    (date) =>
      `${dayOfWeek(date).slice(0, 3)} ${month(date).slice(0, 3)} ${blank(date.getDate())} ${clock(date)} ${date.getFullYear()}`,
  ],
  ['C', (date) => two(Math.floor(date.getFullYear() / 100))],
  ['d', (date) => two(date.getDate())],
  ['D', americanDate],
  ['e', (date) => blank(date.getDate())],
  ['F', isoDate],
  ['g', (date) => two(isoWeek(date).year % 100)],
  ['G', (date) => String(isoWeek(date).year)],
  ['h', (date) => month(date).slice(0, 3)],
  ['H', (date) => two(date.getHours())],
  ['I', (date) => two(hour12(date))],
  ['j', (date) => String(dayOfYear(date)).padStart(3, '0')],
  ['k', (date) => blank(date.getHours())],
  ['l', (date) => blank(hour12(date))],
  ['m', (date) => two(date.getMonth() + 1)],
  ['M', (date) => two(date.getMinutes())],
  ['n', () => '\n'],
  ['p', halfOfDay],
  ['P', (date) => halfOfDay(date).toLowerCase()],
  [
    'r',
    (date) => `${two(hour12(date))}:${two(date.getMinutes())}:${two(date.getSeconds())} ${halfOfDay(date)}`,
  ],
  ['R', (date) => `${two(date.getHours())}:${two(date.getMinutes())}`],
  ['s', (date) => String(Math.floor(date.getTime() / 1000))],
  ['S', (date) => two(date.getSeconds())],
  ['t', () => '\t'],
  ['T', clock],
  ['u', (date) => String(date.getDay() || 7)],
  ['U', (date) => two(Math.floor((dayOfYear(date) + 6 - date.getDay()) / 7))],
  ['V', (date) => two(isoWeek(date).week)],
  ['w', (date) => String(date.getDay())],
  ['W', (date) => two(Math.floor((dayOfYear(date) + 6 - ((date.getDay() + 6) % 7)) / 7))],
  ['x', americanDate],
  ['X', clock],
  ['y', (date) => two(date.getFullYear() % 100)],
  ['Y', (date) => String(date.getFullYear())],
  ['z', zoneOffset],
  ['Z', zoneName],
]);

/** One conversion of strftime(3), by its letter. An unknown one gives itself behind `%`, as the C library does. */
export function timeField(letter: string, time: LocalTime): string {
  if (letter === 'N') return String(time.nanoseconds).padStart(9, '0');
  return conversions.get(letter)?.(time.date) ?? `%${letter}`;
}

/** `2020-05-06T21:48:00+0100`. */
export function isoTime(time: LocalTime): string {
  return `${isoDate(time.date)}T${clock(time.date)}${zoneOffset(time.date)}`;
}

/** With microseconds: `2020-05-06T21:48:00.123456+0100`. */
export function isoTimeWithMicroseconds(time: LocalTime): string {
  const micro = String(Math.floor(time.nanoseconds / 1000)).padStart(6, '0');
  return `${isoDate(time.date)}T${clock(time.date)}.${micro}${zoneOffset(time.date)}`;
}

/** 1 to 366; by calendar days, so that a change of the clock does not count. */
function dayOfYear(date: Date): number {
  const day = Date.UTC(date.getFullYear(), date.getMonth(), date.getDate());
  return Math.round((day - Date.UTC(date.getFullYear(), 0, 0)) / 86_400_000);
}

/** The week of ISO 8601: the one that holds the Thursday. */
function isoWeek(date: Date): { year: number; week: number } {
  const thursday = new Date(
    date.getFullYear(),
    date.getMonth(),
    date.getDate() + 4 - (date.getDay() || 7),
    12,
  );
  return { year: thursday.getFullYear(), week: Math.ceil(dayOfYear(thursday) / 7) };
}

function zoneOffset(date: Date): string {
  const minutes = -date.getTimezoneOffset();
  const size = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}${two(size % 60)}`;
}

/** Each knows the short names of its own part of the world. */
const zoneLocales = ['en-GB', 'en-US', 'en-AU', 'en-IN', 'en-ZA'];

/** `CET`, `EST`; where there is no name, the offset in its short form. */
function zoneName(date: Date): string {
  for (const locale of zoneLocales) {
    const parts = new Intl.DateTimeFormat(locale, { timeZoneName: 'short' }).formatToParts(date);
    const name = parts.find((part) => part.type === 'timeZoneName')?.value ?? '';
    if (/^[A-Z]{3,5}$/.test(name)) return name;
  }
  return zoneOffset(date).replace(/00$/, '');
}

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
const dayMs = 86_400_000;

/** How a conversion is padded: with zeros, with spaces, or as it is. */
interface Field {
  readonly text: string;
  readonly width: number;
  readonly padding: '0' | ' ' | '';
}

/**
 * Time in the form that strftime(3) gives it in the C locale and the local time zone: every conversion of POSIX and those
 * of glibc, with its flags `-`, `_`, `0`, `^`, `#` and widths. What is no conversion stays as it is.
 */
export function strftime(format: string, time: Date): string {
  return format.replaceAll(
    /%([-_0^#]*)(\d{0,3})[EO]?([A-Za-z%])/g,
    (whole, flags: string, width: string, letter: string) => {
      const field = conversion(letter, time);
      return field === undefined ? whole : laidOut(field, flags, width);
    },
  );
}

function laidOut(field: Field, flags: string, width: string): string {
  let { text, padding } = field;
  let changesCase = false;
  for (const flag of flags) {
    if (flag === '-') padding = '';
    else if (flag === '_') padding = ' ';
    else if (flag === '0') padding = '0';
    else changesCase = true;
  }
  if (changesCase) {
    const isSwapped = flags.includes('#') && text === text.toUpperCase();
    text = isSwapped ? text.toLowerCase() : text.toUpperCase();
  }
  if (padding === '' && width === '') return text;
  return text.padStart(width === '' ? field.width : Number(width), padding === '' ? ' ' : padding);
}

const number = (value: number, width: number, padding: '0' | ' ' = '0'): Field => ({
  text: String(value),
  width,
  padding,
});
const words = (text: string): Field => ({ text, width: 0, padding: '' });

function conversion(letter: string, time: Date): Field | undefined {
  return dateField(letter, time) ?? timeField(letter, time) ?? compound(letter, time);
}

function dateField(letter: string, time: Date): Field | undefined {
  const year = time.getFullYear();
  const day = time.getDay();
  switch (letter) {
    case 'a':
      return words(days[day]!.slice(0, 3));
    case 'A':
      return words(days[day]!);
    case 'b':
    case 'h':
      return words(months[time.getMonth()]!.slice(0, 3));
    case 'B':
      return words(months[time.getMonth()]!);
    case 'C':
      return number(Math.floor(year / 100), 2);
    case 'd':
      return number(time.getDate(), 2);
    case 'e':
      return number(time.getDate(), 2, ' ');
    case 'g':
      return number(isoWeek(time).year % 100, 2);
    case 'G':
      return number(isoWeek(time).year, 4);
    case 'j':
      return number(dayOfYear(time) + 1, 3);
    case 'm':
      return number(time.getMonth() + 1, 2);
    case 'u':
      return number(day === 0 ? 7 : day, 1);
    case 'U':
      return number(Math.floor((dayOfYear(time) + 7 - day) / 7), 2);
    case 'V':
      return number(isoWeek(time).week, 2);
    case 'w':
      return number(day, 1);
    case 'W':
      return number(Math.floor((dayOfYear(time) + 7 - ((day + 6) % 7)) / 7), 2);
    case 'y':
      return number(year % 100, 2);
    case 'Y':
      return number(year, 4);
    default:
      return undefined;
  }
}

function timeField(letter: string, time: Date): Field | undefined {
  const hours = time.getHours();
  const hours12 = hours % 12 === 0 ? 12 : hours % 12;
  switch (letter) {
    case 'H':
      return number(hours, 2);
    case 'I':
      return number(hours12, 2);
    case 'k':
      return number(hours, 2, ' ');
    case 'l':
      return number(hours12, 2, ' ');
    case 'M':
      return number(time.getMinutes(), 2);
    case 'p':
      return words(hours < 12 ? 'AM' : 'PM');
    case 'P':
      return words(hours < 12 ? 'am' : 'pm');
    case 's':
      return number(Math.floor(time.getTime() / 1000), 1);
    case 'S':
      return number(time.getSeconds(), 2);
    case 'z':
      return words(offset(time));
    case 'Z':
      return words(zoneName(time));
    default:
      return undefined;
  }
}

const compounds: ReadonlyMap<string, string> = new Map([
  ['c', '%a %b %e %H:%M:%S %Y'],
  ['D', '%m/%d/%y'],
  ['F', '%Y-%m-%d'],
  ['r', '%I:%M:%S %p'],
  ['R', '%H:%M'],
  ['T', '%H:%M:%S'],
  ['x', '%m/%d/%y'],
  ['X', '%H:%M:%S'],
]);

function compound(letter: string, time: Date): Field | undefined {
  if (letter === 'n') return words('\n');
  if (letter === 't') return words('\t');
  if (letter === '%') return words('%');
  const format = compounds.get(letter);
  return format === undefined ? undefined : words(strftime(format, time));
}

/** 0 on the first of January. In UTC, where every day has as many hours. */
function dayOfYear(time: Date): number {
  const year = time.getFullYear();
  return Math.round((Date.UTC(year, time.getMonth(), time.getDate()) - Date.UTC(year, 0, 1)) / dayMs);
}

/** ISO 8601: a week belongs to the year that its Thursday is in. */
function isoWeek(time: Date): { readonly year: number; readonly week: number } {
  const thursday = new Date(Date.UTC(time.getFullYear(), time.getMonth(), time.getDate()));
  thursday.setUTCDate(thursday.getUTCDate() + 3 - ((thursday.getUTCDay() + 6) % 7));
  const year = thursday.getUTCFullYear();
  const days = Math.round((thursday.getTime() - Date.UTC(year, 0, 1)) / dayMs);
  return { year, week: Math.floor(days / 7) + 1 };
}

function offset(time: Date): string {
  const minutes = -time.getTimezoneOffset();
  const size = Math.abs(minutes);
  const digits = (value: number): string => String(Math.floor(value)).padStart(2, '0');
  return `${minutes < 0 ? '-' : '+'}${digits(size / 60)}${digits(size % 60)}`;
}

/** `CET`, `EST`: English has a name for the zone in one of its countries, or the zone has only its offset. */
function zoneName(time: Date): string {
  for (const locale of ['en-US', 'en-GB', 'en-AU', 'en-IN', 'en-ZA']) {
    const parts = new Intl.DateTimeFormat(locale, { timeZoneName: 'short' }).formatToParts(time);
    const name = parts.find((part) => part.type === 'timeZoneName')?.value ?? '';
    if (/^[A-Z]+$/.test(name)) return name;
  }
  return offset(time).replace(/00$/, '');
}

// Instants (UTC milliseconds) as dates in the archive's zone and the person's language. Pure: zone,
// and where it matters the present moment, are passed in.

const formats = new Map<string, Intl.DateTimeFormat>();

function format(zone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = zone + JSON.stringify(options);
  const known = formats.get(key) ?? new Intl.DateTimeFormat(undefined, { ...options, timeZone: zone });
  formats.set(key, known);
  return known;
}

const dateShort = { day: 'numeric', month: 'short', year: 'numeric' } as const;
const dayMs = 86_400_000;
const relativeFor = 28 * dayMs;

/** "17:58" */
export function clock(ms: number, zone: string): string {
  return format(zone, { hour: '2-digit', minute: '2-digit' }).format(ms);
}

/** "12 Apr 2024" */
export function shortDate(ms: number, zone: string): string {
  return format(zone, dateShort).format(ms);
}

/** "Apr 2024" */
export function monthWords(ms: number, zone: string): string {
  return format(zone, { month: 'short', year: 'numeric' }).format(ms);
}

/** "Friday 12 April 2024" */
export function dayTitle(ms: number, zone: string): string {
  return format(zone, { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' }).format(ms);
}

/** To the minute, for hovers: "Friday 12 April 2024, 17:58". */
export function exact(ms: number, zone: string): string {
  return `${dayTitle(ms, zone)}, ${clock(ms, zone)}`;
}

/** "15–17 Apr 2024"; one date where both are the same day. */
export function dateSpan(first: number, last: number, zone: string): string {
  return format(zone, dateShort).formatRange(first, last);
}

/** "Feb – Oct 2024" for a range of whole months, else dates. `until` is exclusive. */
export function rangeLabel(from: number | null, until: number | null, zone: string): string {
  if (from === null && until === null) return '';
  if (from === null) return `before ${shortDate(until ?? 0, zone)}`;
  if (until === null) return `since ${shortDate(from, zone)}`;
  const whole = dayKey(from, zone).endsWith('-01') && dayKey(until, zone).endsWith('-01');
  const options = whole ? ({ month: 'short', year: 'numeric' } as const) : dateShort;
  return format(zone, options).formatRange(from, until - 1);
}

/** How a result is dated: "yesterday", "12 days ago" under four weeks, else "12 Apr 2024". */
export function resultDate(ms: number, now: number, zone: string): string {
  const age = now - ms;
  if (age < 0 || age >= relativeFor) return shortDate(ms, zone);
  const days = daysBetween(dayKey(ms, zone), dayKey(now, zone));
  if (days === 0) return clock(ms, zone);
  return new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' }).format(-days, 'day');
}

/** Local calendar day, `2024-04-12`. */
export function dayKey(ms: number, zone: string): string {
  const parts = partsOf(ms, zone);
  return `${String(parts.year).padStart(4, '0')}-${two(parts.month)}-${two(parts.day)}`;
}

/** First instant of a local day, UTC ms. Days whose midnight the clock skips begin at its first hour. */
export function startOfDay(date: string, zone: string): number {
  const [year = 1970, month = 1, day = 1] = date.split('-').map(Number);
  const asUtc = Date.UTC(year, month - 1, day);
  // The offset may differ at the guess and at the answer; the second look settles it.
  const guess = asUtc - offset(asUtc, zone);
  return asUtc - offset(guess, zone);
}

/** First instant of a local year and of the next, UTC ms. */
export function yearRange(year: number, zone: string): { from: number; until: number } {
  return { from: startOfDay(`${year}-01-01`, zone), until: startOfDay(`${year + 1}-01-01`, zone) };
}

/** Local time minus UTC at an instant, ms. */
function offset(ms: number, zone: string): number {
  const p = partsOf(ms, zone);
  return Date.UTC(p.year, p.month - 1, p.day, p.hour, p.minute, p.second) - Math.floor(ms / 1000) * 1000;
}

type Parts = Record<'year' | 'month' | 'day' | 'hour' | 'minute' | 'second', number>;

function partsOf(ms: number, zone: string): Parts {
  const key = `parts ${zone}`;
  const made =
    formats.get(key) ??
    new Intl.DateTimeFormat('en-u-ca-gregory-nu-latn', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  formats.set(key, made);
  return Object.fromEntries(made.formatToParts(ms).map((p) => [p.type, Number(p.value)])) as Parts;
}

function daysBetween(from: string, to: string): number {
  return Math.round((Date.parse(to) - Date.parse(from)) / dayMs);
}

function two(n: number): string {
  return String(n).padStart(2, '0');
}

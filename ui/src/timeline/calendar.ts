// Where years, months, days and hours begin in the archive's zone. Local dates are strings,
// `2024-04-12`; instants are UTC milliseconds. Formatting for people is state/dates.ts.

import { clock, dayKey, startOfDay } from '../state/dates';

export const hourMs = 3_600_000;
export const dayMs = 86_400_000;

/** A stride between two ticks: every 3 months, every 6 hours. */
export type Stride = { unit: 'year' | 'month' | 'day' | 'hour'; count: number };

/** `shiftDay('2024-02-28', 2)` → `2024-03-01`. */
export function shiftDay(date: string, by: number): string {
  return new Date(Date.parse(date) + by * dayMs).toISOString().slice(0, 10);
}

/** First day of the month that lies `by` months after that of `date`. */
export function shiftMonth(date: string, by: number): string {
  const months = Number(date.slice(0, 4)) * 12 + Number(date.slice(5, 7)) - 1 + by;
  const year = String(Math.floor(months / 12)).padStart(4, '0');
  return `${year}-${String((months % 12) + 1).padStart(2, '0')}-01`;
}

/** First day of the week (Monday) that holds `date`. */
export function startOfWeek(date: string): string {
  return shiftDay(date, -((new Date(Date.parse(date)).getUTCDay() + 6) % 7));
}

/** True where the string is a day that exists. */
export function isDate(date: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(date) && shiftDay(date, 0) === date;
}

/** Begin of each stride within `from`–`until`, in order. Hours are counted anew from each midnight. */
export function turns(from: number, until: number, stride: Stride, zone: string): number[] {
  const days = daysOf(from, until, stride, zone);
  const found = stride.unit === 'hour' ? days.flatMap((day) => hoursOf(day, stride.count, zone)) : null;
  const all = found ?? days.map((day) => startOfDay(day, zone));
  return all.filter((at) => at >= from && at < until);
}

/** The local days on which a stride may turn. */
function daysOf(from: number, until: number, { unit, count }: Stride, zone: string): string[] {
  const last = dayKey(until, zone);
  const days: string[] = [];
  for (let day = firstDay(dayKey(from, zone), unit, count); day <= last;) {
    days.push(day);
    if (unit === 'year') day = shiftMonth(day, 12 * count);
    else if (unit === 'month') day = shiftMonth(day, count);
    else day = shiftDay(day, unit === 'day' ? count : 1);
  }
  return days;
}

/** Aligns: years to multiples of the count, months to the year, days of a week to Monday. */
function firstDay(date: string, unit: Stride['unit'], count: number): string {
  const [year, month] = [Number(date.slice(0, 4)), Number(date.slice(5, 7)) - 1];
  if (unit === 'year') return `${String(year - (year % count)).padStart(4, '0')}-01-01`;
  if (unit === 'month') return shiftMonth(date, -(month % count));
  return unit === 'day' && count === 7 ? startOfWeek(date) : date;
}

function hoursOf(day: string, count: number, zone: string): number[] {
  const end = startOfDay(shiftDay(day, 1), zone);
  const hours: number[] = [];
  for (let at = startOfDay(day, zone); at < end; at += hourMs) {
    if (clock24(at, zone) % count === 0) hours.push(at);
  }
  return hours;
}

/** The hour on the wall, 0 to 23, whatever the locale. */
export function clock24(at: number, zone: string): number {
  const known = hourFormats.get(zone);
  const format =
    known ?? new Intl.DateTimeFormat('en', { hour: 'numeric', hourCycle: 'h23', timeZone: zone });
  hourFormats.set(zone, format);
  return Number(format.format(at));
}

const hourFormats = new Map<string, Intl.DateTimeFormat>();

/** "17:40–19:05"; one time where both are the same minute. */
export function clockSpan(first: number, last: number, zone: string): string {
  const [a, b] = [clock(first, zone), clock(last, zone)];
  return a === b ? a : `${a}–${b}`;
}

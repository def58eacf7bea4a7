// A year as a sheet of days: a column a week (Monday on top), five steps of one hue. A day that no
// source covers is "no data", which is not the same as silence. Pure; drawing is parts/HeatMap.

import type { Span } from '../api';
import { dayKey, dayTitle, startOfDay } from '../state/dates';
import { grouped } from '../state/words';
import { shiftDay, shiftMonth, startOfWeek } from './calendar';

export type Cell = {
  date: string;
  count: number;
  /** 0 to 4; null where no source covers the day. */
  step: 0 | 1 | 2 | 3 | 4 | null;
  column: number;
  /** 0 is Monday. */
  row: number;
  label: string;
};

/** Messages by local day. */
export type DayCounts = ReadonlyMap<string, number>;

export function cellsOf(year: number, counts: DayCounts, spans: Span[], zone: string): Cell[] {
  const steps = thresholds([...counts.values()]);
  const days = daysOfYear(year);
  const origin = Date.parse(startOfWeek(`${year}-01-01`));
  return days.map((date) => {
    const nth = Math.round((Date.parse(date) - origin) / 86_400_000);
    const count = counts.get(date) ?? 0;
    const at = startOfDay(date, zone);
    const covered = count > 0 || covers(spans, at, startOfDay(shiftDay(date, 1), zone));
    const step = covered ? stepOf(count, steps) : null;
    const said = covered ? `${grouped(count)} ${count === 1 ? 'message' : 'messages'}` : 'no data';
    return {
      date,
      count,
      step,
      column: Math.floor(nth / 7),
      row: nth % 7,
      label: `${dayTitle(at, zone)}: ${said}`,
    };
  });
}

function daysOfYear(year: number): string[] {
  const days: string[] = [];
  for (let day = `${year}-01-01`; day.startsWith(`${year}-`); day = shiftDay(day, 1)) days.push(day);
  return days;
}

function covers(spans: Span[], from: number, until: number): boolean {
  return spans.some((span) => span.first < until && span.last >= from);
}

/** Counts from which the steps 2, 3 and 4 begin: the 40th, 70th and 92nd part in a hundred of the days that have any. */
export function thresholds(counts: number[]): [number, number, number] {
  const sorted = counts.filter((n) => n > 0).sort((a, b) => a - b);
  const at = (part: number) =>
    sorted[Math.min(Math.floor(part * sorted.length), sorted.length - 1)] ?? Infinity;
  return [at(0.4), at(0.7), at(0.92)];
}

function stepOf(count: number, [second, third, fourth]: [number, number, number]): 0 | 1 | 2 | 3 | 4 {
  if (count === 0) return 0;
  if (count >= fourth) return 4;
  if (count >= third) return 3;
  return count >= second ? 2 : 1;
}

export type MonthLabel = { column: number; label: string };

/** Each month's short name above the first week that begins in it. */
export function monthLabels(year: number, zone: string): MonthLabel[] {
  const format = new Intl.DateTimeFormat(undefined, { month: 'short', timeZone: zone });
  const origin = Date.parse(startOfWeek(`${year}-01-01`));
  return Array.from({ length: 12 }, (_, month) => {
    const first = shiftMonth(`${year}-01-01`, month);
    const weeks = (Date.parse(first) - origin) / (7 * 86_400_000);
    return { column: month === 0 ? 0 : Math.ceil(weeks), label: format.format(startOfDay(first, zone)) };
  });
}

/** "Messages a day in 2024. Busiest: Saturday 7 September 2024, 1,204." */
export function heatSentence(year: number, counts: DayCounts, zone: string): string {
  const [busiest] = [...counts].sort((a, b) => b[1] - a[1]);
  if (!busiest || busiest[1] === 0) return `Messages a day in ${year}. There are none.`;
  const when = dayTitle(startOfDay(busiest[0], zone), zone);
  return `Messages a day in ${year}. Busiest: ${when}, ${grouped(busiest[1])}.`;
}

/** Day buckets by their local day, counting the shown source alone where one is chosen. */
export function dayCounts(
  buckets: { start: number; count: number; by_source: Record<string, number> }[],
  only: string | null,
  zone: string,
): Map<string, number> {
  return new Map(
    buckets.map((b) => [dayKey(b.start, zone), only === null ? b.count : (b.by_source[only] ?? 0)] as const),
  );
}

/** The nearest days before and after `date` that have messages, within the counts known. */
export function nearestDays(counts: DayCounts, date: string): string[] {
  const days = [...counts].filter(([, count]) => count > 0).map(([day]) => day);
  const before = days
    .filter((day) => day < date)
    .sort()
    .at(-1);
  const after = days.filter((day) => day > date).sort()[0];
  return [before, after].filter((day) => day !== undefined);
}

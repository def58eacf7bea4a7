// What part of the years is in view, and how the wheel, dragging and the keys change it. Instants in
// UTC milliseconds, `until` exclusive. Pure.

import type { Unit } from '../api';
import { dayKey, startOfDay } from '../state/dates';
import { dayMs, hourMs, shiftDay, shiftMonth, startOfWeek } from './calendar';

export type View = { from: number; until: number };

/** How near one stands. Years shows months as bars, Months days, Days and Hours hours. */
export type Level = 'years' | 'months' | 'days' | 'hours';

export const levels: Level[] = ['years', 'months', 'days', 'hours'];
export const unitOf: Record<Level, Unit> = { years: 'month', months: 'day', days: 'hour', hours: 'hour' };

/** Beyond these spans a bar would be thinner than about 2.5 px on 1044. */
const longestMonths = 400 * dayMs;
const longestDays = 14 * dayMs;
const longestHours = 2 * dayMs + hourMs;
const shortest = 6 * hourMs;

export function levelOf({ from, until }: View): Level {
  const span = until - from;
  if (span > longestMonths) return 'years';
  if (span > longestDays) return 'months';
  return span > longestHours ? 'days' : 'hours';
}

/** Whole local months around the first and the last message. */
export function boundsOf(first: number, last: number, zone: string): View {
  const start = (date: string) => startOfDay(date, zone);
  return {
    from: start(shiftMonth(dayKey(first, zone), 0)),
    until: start(shiftMonth(dayKey(last, zone), 1)),
  };
}

/** Keeps a view within the bounds: moved where it overhangs, cut where it is longer. */
export function within(view: View, bounds: View): View {
  const span = Math.min(view.until - view.from, bounds.until - bounds.from);
  const from = Math.min(Math.max(view.from, bounds.from), bounds.until - span);
  return { from, until: from + span };
}

/** Longer (`factor` above 1) or shorter, while the instant `at` stays where it is drawn. */
export function zoomAbout(view: View, at: number, factor: number, bounds: View): View {
  const span = view.until - view.from;
  const wanted = Math.max(shortest, Math.min(span * factor, bounds.until - bounds.from));
  const from = at - ((at - view.from) * wanted) / span;
  return within({ from, until: from + wanted }, bounds);
}

/** Moved by a part of what is in view; 1 is a whole view later. */
export function pan(view: View, part: number, bounds: View): View {
  const by = (view.until - view.from) * part;
  return within({ from: view.from + by, until: view.until + by }, bounds);
}

/** The view of a level around an instant, on whole calendar units. */
export function viewOf(level: Level, at: number, bounds: View, zone: string): View {
  if (level === 'years') return bounds;
  const [from, until] = daysAround(level, dayKey(at, zone));
  return within({ from: startOfDay(from, zone), until: startOfDay(until, zone) }, bounds);
}

function daysAround(level: Level, day: string): [string, string] {
  if (level === 'hours') return [day, shiftDay(day, 1)];
  if (level === 'days') return [startOfWeek(day), shiftDay(startOfWeek(day), 7)];
  return [shiftMonth(day, -3), shiftMonth(day, 3)];
}

/** Levels that look different in these bounds; a short archive has no Years. */
export function levelsWithin(bounds: View): Level[] {
  return levels.slice(levels.indexOf(levelOf(bounds)));
}

/** The instant under x, where the view is `width` px wide. */
export function instantAt(view: View, x: number, width: number): number {
  return view.from + (x / width) * (view.until - view.from);
}

/** Where an instant stands, px. */
export function xOf(view: View, at: number, width: number): number {
  return ((at - view.from) / (view.until - view.from)) * width;
}

/** Two instants, in whichever order they were dragged, widened to whole buckets. Null where none is touched. */
export function rangeOf(buckets: { start: number; end: number }[], a: number, b: number): View | null {
  const [from, until] = [Math.min(a, b), Math.max(a, b)];
  const touched = buckets.filter((bucket) => bucket.start <= until && bucket.end > from);
  const [first, last] = [touched[0], touched.at(-1)];
  return first && last ? { from: first.start, until: last.end } : null;
}

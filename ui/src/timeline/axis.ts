// What stands under and around the bars: labels of time, the title of what is in view, spans without
// data, and the sentence that says it all to a screen reader. Pure.

import type { Span } from '../api';
import { shortDate } from '../state/dates';
import { grouped } from '../state/words';
import { dayMs, turns, type Stride } from './calendar';
import { levelOf, xOf, type View } from './viewport';

export type Tick = { x: number; label: string };

/** Strides from near to far, with how their labels are written. The first whose labels have room is taken. */
const strides: (Stride & { room: number; options: Intl.DateTimeFormatOptions })[] = [
  { unit: 'hour', count: 1, room: 40, options: { hour: '2-digit', minute: '2-digit' } },
  { unit: 'hour', count: 3, room: 44, options: { hour: '2-digit', minute: '2-digit' } },
  { unit: 'hour', count: 6, room: 44, options: { hour: '2-digit', minute: '2-digit' } },
  { unit: 'day', count: 1, room: 64, options: { weekday: 'short', day: 'numeric', month: 'short' } },
  { unit: 'day', count: 7, room: 60, options: { day: 'numeric', month: 'short' } },
  { unit: 'month', count: 1, room: 60, options: { month: 'short', year: '2-digit' } },
  { unit: 'month', count: 3, room: 60, options: { month: 'short', year: '2-digit' } },
  { unit: 'year', count: 1, room: 44, options: { year: 'numeric' } },
  { unit: 'year', count: 2, room: 44, options: { year: 'numeric' } },
  { unit: 'year', count: 5, room: 44, options: { year: 'numeric' } },
  { unit: 'year', count: 10, room: 44, options: { year: 'numeric' } },
];
const strideMs = { hour: dayMs / 24, day: dayMs, month: 30 * dayMs, year: 365 * dayMs };

export function timeTicks(view: View, width: number, zone: string): Tick[] {
  const fits = (s: (typeof strides)[number]) =>
    (strideMs[s.unit] * s.count * width) / (view.until - view.from) >= s.room;
  const stride = strides.find(fits) ?? strides[strides.length - 1];
  if (!stride) return [];
  const format = new Intl.DateTimeFormat(undefined, { ...stride.options, timeZone: zone });
  const all = turns(view.from, view.until, stride, zone);
  const ticks = all.map((at) => ({ x: xOf(view, at, width), label: format.format(at) }));
  return ticks.filter((tick) => tick.x <= width - stride.room / 2);
}

const titles: Record<string, Intl.DateTimeFormatOptions> = {
  years: { year: 'numeric' },
  months: { month: 'short', year: 'numeric' },
  days: { day: 'numeric', month: 'short', year: 'numeric' },
  hours: { day: 'numeric', month: 'long', year: 'numeric' },
};

/** "2012 – 2025", "Jan – Jun 2024", "8 – 14 Apr 2024", "12 April 2024". */
export function titleOf(view: View, zone: string): string {
  const format = new Intl.DateTimeFormat(undefined, { ...titles[levelOf(view)], timeZone: zone });
  return format.formatRange(view.from, view.until - 1);
}

/** What one bar is called: "April 2024", "Friday 12 April 2024", with its hour where it is one. */
export function barTitle(bar: { start: number; end: number }, zone: string): string {
  const span = bar.end - bar.start;
  const month = { month: 'long', year: 'numeric' } as const;
  const day = { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' } as const;
  const hour = { ...day, hour: '2-digit', minute: '2-digit' } as const;
  const options = span > 2 * dayMs ? month : span > dayMs / 2 ? day : hour;
  return new Intl.DateTimeFormat(undefined, { ...options, timeZone: zone }).format(bar.start);
}

/** A span in view that a source does not cover. */
export type Gap = View & { label: string };

/** Less than this is drawn without words, or not at all. */
const leastGap = 12;

/** Where the named source has no data within the view: before its first message, and after its last. */
export function gapsOf(
  span: Span | undefined,
  label: string,
  view: View,
  width: number,
  zone: string,
): Gap[] {
  if (!span) return [];
  const monthOf = new Intl.DateTimeFormat(undefined, { month: 'short', year: 'numeric', timeZone: zone });
  const name =
    levelOf(view) === 'years' ? (at: number) => monthOf.format(at) : (at: number) => shortDate(at, zone);
  const before = {
    from: view.from,
    until: Math.min(span.first, view.until),
    label: `no data from ${label} before ${name(span.first)}`,
  };
  const after = {
    from: Math.max(span.last, view.from),
    until: view.until,
    label: `no data from ${label} after ${name(span.last)}`,
  };
  return [before, after].filter(
    (gap) => xOf(view, gap.until, width) - xOf(view, gap.from, width) >= leastGap,
  );
}

/** "Messages a month by source, 2012 – 2025: 1,204,331 in all, most in April 2020. No data from WhatsApp before Mar 2016." */
export function chartSentence(
  unit: string,
  title: string,
  stacks: { start: number; end: number; total: number }[],
  gaps: Gap[],
  zone: string,
): string {
  const total = stacks.reduce((sum, stack) => sum + stack.total, 0);
  const most = stacks.reduce<(typeof stacks)[number] | null>(
    (a, b) => (b.total > (a?.total ?? 0) ? b : a),
    null,
  );
  const where = most ? `, most in ${barTitle(most, zone)} (${grouped(most.total)})` : '';
  const missing = gaps.map((gap) => ` ${gap.label.replace(/^n/, 'N')}.`).join('');
  return `Messages a ${unit} by source, ${title}: ${grouped(total)} in all${where}.${missing}`;
}

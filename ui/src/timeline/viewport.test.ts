import { describe, expect, test } from 'vitest';
import { dayKey, startOfDay } from '../state/dates';
import { dayMs, hourMs } from './calendar';
import {
  boundsOf,
  instantAt,
  levelOf,
  levelsWithin,
  pan,
  rangeOf,
  viewOf,
  within,
  xOf,
  zoomAbout,
  type Level,
} from './viewport';

const zone = 'Europe/Stockholm';
const at = (date: string) => startOfDay(date, zone);
const bounds = { from: at('2012-01-01'), until: at('2026-01-01') };
const days = (view: { from: number; until: number }) => [dayKey(view.from, zone), dayKey(view.until, zone)];

test.each<[number, Level]>([
  [3000 * dayMs, 'years'],
  [180 * dayMs, 'months'],
  [7 * dayMs, 'days'],
  [25 * hourMs, 'hours'],
])('a span of %i ms is seen as %s', (span, expected) =>
  expect(levelOf({ from: 0, until: span })).toBe(expected),
);

test('the bounds are whole months of the zone', () => {
  const found = boundsOf(at('2012-03-09') + 5 * hourMs, at('2025-11-30') + 23 * hourMs, zone);
  expect(days(found)).toEqual(['2012-03-01', '2025-12-01']);
});

describe('zoom', () => {
  const view = { from: at('2016-01-01'), until: at('2020-01-01') };

  test('the instant under the cursor stays where it is', () => {
    const cursor = at('2017-06-15');
    const nearer = zoomAbout(view, cursor, 0.5, bounds);
    expect(xOf(nearer, cursor, 1000)).toBeCloseTo(xOf(view, cursor, 1000), 6);
    expect(nearer.until - nearer.from).toBeCloseTo((view.until - view.from) / 2, 0);
  });
  test('stops at the whole and at six hours', () => {
    expect(zoomAbout(view, view.from, 1000, bounds)).toEqual(bounds);
    const nearest = zoomAbout(view, view.from, 1e-9, bounds);
    expect(nearest.until - nearest.from).toBe(6 * hourMs);
  });
  test('in and out again gives the same view', () => {
    const back = zoomAbout(zoomAbout(view, view.from + dayMs, 0.8, bounds), view.from + dayMs, 1.25, bounds);
    expect(back.from).toBeCloseTo(view.from, -1);
    expect(back.until).toBeCloseTo(view.until, -1);
  });
});

test('a view neither leaves the bounds nor changes its length at their edge', () => {
  const view = { from: at('2025-06-01'), until: at('2025-12-01') };
  const moved = pan(view, 3, bounds);
  expect(moved.until).toBe(bounds.until);
  expect(moved.until - moved.from).toBe(view.until - view.from);
  expect(within({ from: 0, until: Date.now() * 2 }, bounds)).toEqual(bounds);
});

test.each<[Level, string[]]>([
  ['hours', ['2024-04-12', '2024-04-13']],
  ['days', ['2024-04-08', '2024-04-15']],
  ['months', ['2024-01-01', '2024-07-01']],
  ['years', ['2012-01-01', '2026-01-01']],
])('%s around 12 April 2024 stands on whole units', (level, expected) => {
  expect(days(viewOf(level, at('2024-04-12') + 9 * hourMs, bounds, zone))).toEqual(expected);
});

test('a short archive has no Years', () => {
  expect(levelsWithin(bounds)).toEqual(['years', 'months', 'days', 'hours']);
  expect(levelsWithin({ from: 0, until: 5 * dayMs })).toEqual(['days', 'hours']);
});

test('pixels and instants are inverse', () => {
  expect(xOf(bounds, instantAt(bounds, 321, 1044), 1044)).toBeCloseTo(321, 9);
});

test('a dragged range takes whole buckets, whichever way it was dragged', () => {
  const buckets = [0, 10, 20, 30].map((start) => ({ start, end: start + 10 }));
  expect(rangeOf(buckets, 24, 12)).toEqual({ from: 10, until: 30 });
  expect(rangeOf(buckets, 50, 60)).toBeNull();
});

import { describe, expect, test } from 'vitest';
import { startOfDay } from '../state/dates';
import { cellsOf, dayCounts, heatSentence, monthLabels, nearestDays, thresholds } from './heat';

const zone = 'America/New_York';
const at = (date: string) => startOfDay(date, zone);
const spans = [
  { source: 'a', first: at('2024-02-01'), last: at('2024-06-30') },
  { source: 'b', first: at('2024-07-10'), last: at('2024-12-31') },
];
const counts = new Map([
  ['2024-04-12', 86],
  ['2024-04-13', 2],
]);

describe('cells', () => {
  const cells = cellsOf(2024, counts, spans, zone);
  const cell = (date: string) => cells.find((c) => c.date === date);

  test('a leap year has 366, in columns of weeks from Monday', () => {
    expect(cells).toHaveLength(366);
    expect(cell('2024-01-01')).toMatchObject({ column: 0, row: 0 });
    expect(cell('2024-04-12')).toMatchObject({ column: 14, row: 4 });
  });
  test('silence within a span is step 0, outside every span it is no data', () => {
    expect(cell('2024-04-14')?.step).toBe(0);
    expect(cell('2024-01-31')?.step).toBeNull();
    expect(cell('2024-07-05')?.step).toBeNull();
  });
  test('the label says the day and the count', () => {
    expect(cell('2024-04-13')?.label).toMatch(/April.*: 2 messages$/);
    expect(cell('2024-01-31')?.label).toMatch(/no data$/);
  });
});

test('steps follow the days that have messages', () => {
  expect(thresholds([0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10])).toEqual([5, 8, 10]);
  expect(thresholds([])).toEqual([Infinity, Infinity, Infinity]);
});

test('months stand above the first week that begins in them', () => {
  const columns = monthLabels(2024, zone).map((m) => m.column);
  expect(columns.slice(0, 5)).toEqual([0, 5, 9, 13, 18]);
});

test('the sentence names the busiest day', () => {
  expect(heatSentence(2024, counts, zone)).toMatch(/^Messages a day in 2024\. Busiest: .*12.*, 86\.$/);
  expect(heatSentence(2024, new Map(), zone)).toBe('Messages a day in 2024. There are none.');
});

test('days are those of the zone, and of one source where one is chosen', () => {
  const buckets = [{ start: at('2024-04-12'), count: 9, by_source: { a: 4, b: 5 } }];
  expect(dayCounts(buckets, null, zone)).toEqual(new Map([['2024-04-12', 9]]));
  expect(dayCounts(buckets, 'b', zone)).toEqual(new Map([['2024-04-12', 5]]));
});

test('the nearest days with messages, before and after', () => {
  expect(nearestDays(counts, '2024-04-20')).toEqual(['2024-04-13']);
  expect(nearestDays(counts, '2024-01-01')).toEqual(['2024-04-12']);
});

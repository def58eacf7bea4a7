import { describe, expect, test } from 'vitest';
import type { SourceRow } from '../api';
import { bandsOf, largest, roundValues, stacksOf, totals } from './stack';

const row = (source: string, hue: number, messages: number): SourceRow => ({
  source,
  label: source.toUpperCase(),
  kind: 'chat',
  messages,
  conversations: 1,
  first: 0,
  last: 1,
  hue,
  imports: [],
  zone: null,
  how_to_export: '',
});
const rows = [row('b', 2, 50), row('x', 0, 5), row('a', 1, 40), row('y', 0, 5), row('empty', 3, 0)];

describe('bands', () => {
  test('hues from the ground up, the rest together on top, nothing without messages', () => {
    expect(bandsOf(rows).map((band) => [band.hue, band.label])).toEqual([
      [1, 'A'],
      [2, 'B'],
      [0, '2 others'],
    ]);
  });
  test('one source alone keeps its name and its hue', () => {
    expect(bandsOf(rows, 'x')).toEqual([{ hue: 0, label: 'X', sources: ['x'] }]);
  });
});

test('a bar holds the counts of the shown bands only', () => {
  const bucket = { start: 0, end: 10, count: 9, by_source: { a: 4, x: 2, y: 1, b: 2 } };
  expect(stacksOf([bucket], bandsOf(rows))).toEqual([{ start: 0, end: 10, counts: [4, 2, 3], total: 9 }]);
  expect(stacksOf([bucket], bandsOf(rows, 'x'))[0]?.total).toBe(2);
});

test('totals are the sums of the bars', () => {
  const bucket = { start: 0, end: 10, count: 4, by_source: { a: 4 } };
  expect(totals(stacksOf([bucket, bucket], bandsOf(rows)), bandsOf(rows))).toEqual([8, 0, 0]);
});

test.each([
  [17_647, [5_000, 10_000, 15_000]],
  [96, [20, 40, 60, 80]],
  [3, [1, 2, 3]],
  [1, [1]],
])('lines below %i stand at %j', (most, expected) => expect(roundValues(most)).toEqual(expected));

test('the largest source is that of the shown ones', () => {
  expect(largest(rows, null)?.source).toBe('b');
  expect(largest(rows, 'x')?.source).toBe('x');
  expect(largest([], null)).toBeNull();
});

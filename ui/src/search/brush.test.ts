import { describe, expect, it } from 'vitest';
import type { Bucket } from '../api';
import { bars, brushBetween, countWithin, dragEdge, fieldHeight, nudge, ticks, toX } from './brush';

/** Buckets of ten from 0 on, with these counts. */
function buckets(...counts: number[]): Bucket[] {
  return counts.map((count, at) => ({ start: at * 10, end: at * 10 + 10, count, by_source: {} }));
}
const four = buckets(1, 0, 100, 50);

describe('bars', () => {
  it('leaves empty buckets out and stands on the base line', () => {
    const drawn = bars(four, 400);
    expect(drawn.map((bar) => bar.bucket.start)).toEqual([0, 20, 30]);
    for (const bar of drawn) expect(bar.y + bar.height).toBeCloseTo(fieldHeight);
  });
  it('shows one hit beside many, and scales by the tallest', () => {
    expect(bars(four, 400).map((bar) => bar.height)).toEqual([2, 60, 30]);
  });
  it('keeps a bar within its bucket', () => {
    const [, third] = bars(four, 400);
    expect(third?.x).toBeGreaterThan(200);
    expect((third?.x ?? 0) + (third?.width ?? 0)).toBeLessThan(300);
  });
});

describe('pixels and instants', () => {
  it.each([
    [-5, 0],
    [0, 0],
    [5, 50],
    [25, 250],
    [40, 400],
    [99, 400],
  ])('instant %i stands at %i', (at, x) => expect(toX(four, 400, at)).toBe(x));

  it.each([
    [120, 260, { from: 10, until: 30 }],
    [260, 120, { from: 10, until: 30 }],
    [130, 130, { from: 10, until: 20 }],
    [-50, 900, { from: 0, until: 40 }],
  ])('a drag from %i to %i takes whole buckets', (a, b, expected) =>
    expect(brushBetween(four, 400, a, b)).toEqual(expected),
  );
  it('has nothing to brush without buckets', () => expect(brushBetween([], 400, 1, 2)).toBeNull());
});

describe('edges', () => {
  const brush = { from: 10, until: 30 };
  it.each([
    ['from', 20, { from: 0, until: 30 }],
    ['from', 390, { from: 20, until: 30 }],
    ['until', 390, { from: 10, until: 40 }],
    ['until', 5, { from: 10, until: 20 }],
  ] as const)('%s dragged to %i', (edge, x, expected) =>
    expect(dragEdge(four, 400, brush, edge, x)).toEqual(expected),
  );

  it.each([
    ['from', -1, { from: 0, until: 30 }],
    ['from', 1, { from: 20, until: 30 }],
    ['from', 2, brush],
    ['until', 1, { from: 10, until: 40 }],
    ['until', 5, { from: 10, until: 40 }],
    ['until', -2, brush],
  ] as const)('%s nudged by %i', (edge, by, expected) =>
    expect(nudge(four, brush, edge, by)).toEqual(expected),
  );
});

it('counts what a brush touches', () => {
  expect(countWithin(four, null)).toBe(151);
  expect(countWithin(four, { from: 20, until: 40 })).toBe(150);
});

it('labels years where they turn, thinned to what has room', () => {
  const months = Array.from({ length: 36 }, (_, at) => ({
    start: Date.UTC(2020, at, 1),
    end: Date.UTC(2020, at + 1, 1),
    count: 1,
    by_source: {},
  }));
  expect(ticks(months, 680, 'month', 'UTC').map((tick) => tick.label)).toEqual(['2020', '2021', '2022']);
  expect(ticks(months, 120, 'month', 'UTC').map((tick) => tick.label)).toEqual(['2020', '2022']);
});

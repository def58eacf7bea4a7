import { expect, test } from 'vitest';
import { bandPath, barBox } from './bars';

const bars = [{ x: 0, width: 4, counts: [5, 0, 5] }];

test('the lowest band stands on the ground', () => {
  expect(bandPath(bars, 0, 10, 100)).toBe('M0 100v-50h4V100z');
});
test('the next stands a seam above it, whatever is empty between', () => {
  expect(bandPath(bars, 2, 10, 100)).toBe('M0 49.4v-49.4h4V49.4z');
});
test('a band without messages draws nothing', () => expect(bandPath(bars, 1, 10, 100)).toBe(''));

test.each([
  [0, 6.25, 4.8],
  [0, 100, 94],
  [0, 1, 0.8],
])('between %d and %d a bar is about %d wide', (x0, x1, width) => {
  expect(barBox(x0, x1).width).toBeCloseTo(width, 0);
});

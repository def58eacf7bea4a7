import { describe, expect, test } from 'vitest';
import { startOfDay } from '../state/dates';
import { barTitle, chartSentence, gapsOf, timeTicks, titleOf } from './axis';
import { hourMs } from './calendar';

const zone = 'Asia/Tokyo';
const at = (date: string) => startOfDay(date, zone);
const view = (from: string, until: string) => ({ from: at(from), until: at(until) });

describe('ticks', () => {
  const check = (from: string, until: string, expected: number) =>
    expect(timeTicks(view(from, until), 1044, zone)).toHaveLength(expected);

  test('each year of fourteen', () => check('2012-01-01', '2025-12-01', 14));
  test('each month of six', () => check('2024-01-01', '2024-07-01', 6));
  test('each day of a week', () => check('2024-04-08', '2024-04-15', 7));
  test('each hour of a day', () => check('2024-04-12', '2024-04-13', 24));

  test('labels never stand closer than they are wide', () => {
    for (const until of ['2013-01-01', '2014-06-01', '2019-01-01', '2052-01-01']) {
      const xs = timeTicks(view('2012-01-01', until), 600, zone).map((tick) => tick.x);
      const gaps = xs.slice(1).map((x, i) => x - (xs[i] ?? 0));
      expect(Math.min(...gaps)).toBeGreaterThan(39);
    }
  });
});

test('titles name what is in view', () => {
  expect(titleOf(view('2012-01-01', '2026-01-01'), zone)).toMatch(/^2012.+2025$/);
  expect(titleOf(view('2024-01-01', '2024-07-01'), zone)).toMatch(/^Jan.+Jun.+2024$/);
  expect(titleOf(view('2024-04-12', '2024-04-13'), zone)).toMatch(/April/);
});

test('a bar is called by its own unit', () => {
  expect(barTitle({ start: at('2024-04-01'), end: at('2024-05-01') }, zone)).toBe('April 2024');
  expect(barTitle({ start: at('2024-04-12'), end: at('2024-04-13') }, zone)).toMatch(/Fri.*12/);
  expect(barTitle({ start: at('2024-04-12'), end: at('2024-04-12') + hourMs }, zone)).toMatch(/0:00|12:00/);
});

describe('gaps', () => {
  const span = { source: 'wa', first: at('2016-03-05'), last: at('2025-11-30') };
  const labels = (from: string, until: string) =>
    gapsOf(span, 'WhatsApp', view(from, until), 1044, zone).map((gap) => gap.label);

  test('before the first message', () =>
    expect(labels('2012-01-01', '2025-12-01')).toEqual(['no data from WhatsApp before Mar 2016']));
  test('none within the span', () => expect(labels('2017-01-01', '2018-01-01')).toEqual([]));
  test('all of a view before it', () => {
    const [gap] = gapsOf(span, 'WhatsApp', view('2013-01-01', '2013-04-01'), 1044, zone);
    expect(gap).toMatchObject(view('2013-01-01', '2013-04-01'));
  });
});

test('the sentence holds total, peak and what is missing', () => {
  const stacks = [
    { start: at('2024-03-01'), end: at('2024-04-01'), total: 3 },
    { start: at('2024-04-01'), end: at('2024-05-01'), total: 7 },
  ];
  const gap = { from: 0, until: 1, label: 'no data from Mail before 2024' };
  expect(chartSentence('month', '2024', stacks, [gap], zone)).toBe(
    'Messages a month by source, 2024: 10 in all, most in April 2024 (7). No data from Mail before 2024.',
  );
});

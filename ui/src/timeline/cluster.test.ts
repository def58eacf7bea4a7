import { expect, test } from 'vitest';
import type { Cluster } from '../api';
import { startOfDay } from '../state/dates';
import { hourMs } from './calendar';
import { hoursOf, lineOf, spanOf } from './cluster';

const zone = 'Europe/Stockholm';
const day = startOfDay('2024-04-12', zone);
const cluster: Cluster = {
  conversation: 'c',
  title: 'Lofoten',
  source: 'whatsapp',
  kind: 'group',
  count: 42,
  first: day + 17.5 * hourMs,
  last: day + 19 * hourMs,
  message: 'm',
  name: 'Ana',
  line: 'six weeks',
};

test('count and span, in local time', () => {
  expect(spanOf(cluster, 'Europe/Stockholm')).toMatch(/^42 messages, .*5?:30.*–.*:00/);
  expect(spanOf({ ...cluster, kind: 'note', count: 1, last: cluster.first }, zone)).toMatch(
    /^1 note, [^–]+$/,
  );
});

test('the line says who spoke where several could have', () => {
  expect(lineOf(cluster)).toBe('Ana: six weeks');
  expect(lineOf({ ...cluster, kind: 'direct' })).toBe('six weeks');
});

test('hours of what is pointed at, else the busiest', () => {
  const hours = [16, 17, 18, 19, 20].map((h, at) => ({
    start: day + h * hourMs,
    end: day + (h + 1) * hourMs,
    count: [1, 2, 10, 6, 1][at] ?? 0,
  }));
  expect([...hoursOf(hours, null)]).toEqual([day + 18 * hourMs, day + 19 * hourMs]);
  expect([...hoursOf(hours, cluster)]).toEqual([17, 18, 19].map((h) => day + h * hourMs));
});

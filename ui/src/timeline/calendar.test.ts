import { describe, expect, test } from 'vitest';
import { startOfDay } from '../state/dates';
import { clock24, hourMs, isDate, shiftDay, shiftMonth, startOfWeek, turns, type Stride } from './calendar';

const berlin = 'Europe/Berlin';

describe('local dates', () => {
  test.each([
    ['2024-02-28', 2, '2024-03-01'],
    ['2024-01-01', -1, '2023-12-31'],
  ])('%s moved by %i days is %s', (date, by, expected) => expect(shiftDay(date, by)).toBe(expected));

  test.each([
    ['2024-11-30', 2, '2025-01-01'],
    ['2024-01-15', -1, '2023-12-01'],
  ])('%s moved by %i months begins %s', (date, by, expected) => expect(shiftMonth(date, by)).toBe(expected));

  test('a week begins on Monday', () => expect(startOfWeek('2024-04-14')).toBe('2024-04-08'));

  test('a day that does not exist is no date', () => {
    expect(isDate('2024-02-29')).toBe(true);
    expect(isDate('2023-02-29')).toBe(false);
    expect(isDate('soon')).toBe(false);
  });
});

describe('turns', () => {
  const check = (from: string, until: string, stride: Stride, expected: string[]) => {
    const found = turns(startOfDay(from, berlin), startOfDay(until, berlin), stride, berlin);
    expect(found).toEqual(expected.map((day) => startOfDay(day, berlin)));
  };

  test('years stand on multiples of their count', () =>
    check('2013-05-01', '2021-01-01', { unit: 'year', count: 2 }, [
      '2014-01-01',
      '2016-01-01',
      '2018-01-01',
      '2020-01-01',
    ]));
  test('months are counted from January', () =>
    check('2024-02-10', '2024-11-01', { unit: 'month', count: 3 }, [
      '2024-04-01',
      '2024-07-01',
      '2024-10-01',
    ]));
  test('weeks stand on Mondays', () =>
    check('2024-04-09', '2024-04-24', { unit: 'day', count: 7 }, ['2024-04-15', '2024-04-22']));

  test('hours keep to the wall clock on the day that has 23', () => {
    const [from, until] = [startOfDay('2024-03-31', berlin), startOfDay('2024-04-01', berlin)];
    expect(until - from).toBe(23 * hourMs);
    const found = turns(from, until, { unit: 'hour', count: 6 }, berlin);
    expect(found.map((at) => clock24(at, berlin))).toEqual([0, 6, 12, 18]);
  });
});

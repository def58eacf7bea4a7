import { describe, expect, it } from 'vitest';
import { dayKey, rangeLabel, resultDate, startOfDay, yearRange } from './dates';

const utc = (text: string) => Date.parse(text);

describe('startOfDay', () => {
  it.each([
    ['2024-04-12', 'UTC', '2024-04-12T00:00Z'],
    ['2024-04-12', 'Europe/Berlin', '2024-04-11T22:00Z'],
    ['2024-03-31', 'Europe/Berlin', '2024-03-30T23:00Z'],
    ['2024-04-01', 'Europe/Berlin', '2024-03-31T22:00Z'],
    ['2024-10-28', 'Europe/Berlin', '2024-10-27T23:00Z'],
    ['2024-04-12', 'Asia/Kathmandu', '2024-04-11T18:15Z'],
    ['2024-04-12', 'America/Los_Angeles', '2024-04-12T07:00Z'],
  ])('%s in %s', (day, zone, expected) => expect(startOfDay(day, zone)).toBe(utc(expected)));

  it('agrees with dayKey', () => {
    for (const zone of ['UTC', 'Pacific/Auckland', 'America/St_Johns']) {
      expect(dayKey(startOfDay('2023-07-01', zone), zone)).toBe('2023-07-01');
      expect(dayKey(startOfDay('2023-07-01', zone) - 1, zone)).toBe('2023-06-30');
    }
  });
});

it('a year ends where the next begins', () => {
  const { from, until } = yearRange(2024, 'Europe/Berlin');
  expect(from).toBe(utc('2023-12-31T23:00Z'));
  expect(until).toBe(yearRange(2025, 'Europe/Berlin').from);
});

describe('resultDate', () => {
  const now = utc('2024-05-10T12:00Z');
  const absolute = (text: string) =>
    new Intl.DateTimeFormat(undefined, {
      day: 'numeric',
      month: 'short',
      year: 'numeric',
      timeZone: 'UTC',
    }).format(utc(text));
  const relative = (days: number) =>
    new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' }).format(-days, 'day');
  it.each([
    ['2024-05-09T23:59Z', relative(1)],
    ['2024-05-08T00:01Z', relative(2)],
    ['2024-04-13T12:00Z', relative(27)],
    ['2024-04-12T12:00Z', absolute('2024-04-12T12:00Z')],
    ['2014-01-01T12:00Z', absolute('2014-01-01T12:00Z')],
    ['2024-06-01T12:00Z', absolute('2024-06-01T12:00Z')],
  ])('%s', (text, expected) => expect(resultDate(utc(text), now, 'UTC')).toBe(expected));
});

describe('rangeLabel', () => {
  const month = (year: number, m: number) => Date.UTC(year, m - 1, 1);
  it('names whole months without days', () => {
    const label = rangeLabel(month(2024, 2), month(2024, 11), 'UTC');
    expect(label).toContain('Feb');
    expect(label).toContain('Oct');
    expect(label).not.toMatch(/\b1\b/);
  });
  it('is empty without a range', () => expect(rangeLabel(null, null, 'UTC')).toBe(''));
  it('says what is open', () => {
    expect(rangeLabel(null, month(2023, 1), 'UTC')).toMatch(/^before /);
    expect(rangeLabel(month(2023, 1), null, 'UTC')).toMatch(/^since /);
  });
});

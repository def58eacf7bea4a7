import { describe, expect, test } from 'vitest';
import type { Job, Stage } from '../api';
import {
  fallen,
  fraction,
  leftWords,
  noteOf,
  rateWords,
  remainingOf,
  stepsOf,
  tookWords,
  type Remaining,
} from './pace';

const job = (stage: Stage, remaining_s: number | null, state: Job['state'] = 'running'): Job => ({
  id: 1,
  names: [],
  state,
  progress: { stage, done: 1, total: 4, rate: 2, remaining_s },
  receipt: null,
  trouble: null,
});

test('steps before the stage are done, those after it are next', () => {
  expect(stepsOf(job('words', null)).map((s) => s.look)).toEqual(['done', 'done', 'now', 'next', 'next']);
  expect(stepsOf(job('done', null, 'done')).every((s) => s.look === 'done')).toBe(true);
});

describe('the remaining time', () => {
  const shown = (told: (number | null)[], stage: Stage = 'meaning') => {
    let remaining: Remaining = new Map();
    return told.map((seconds) => {
      remaining = fallen(remaining, [job(stage, seconds)]);
      return remainingOf(remaining, job(stage, seconds));
    });
  };
  test('only falls', () => expect(shown([50, 61, 40, 45, 39])).toEqual([50, 50, 40, 40, 39]));
  test('stays where a figure is missing', () => expect(shown([null, 30, null])).toEqual([null, 30, 30]));
  test('begins anew with a stage, which has its own total', () => {
    const saving = fallen(new Map(), [job('saving', 2)]);
    expect(remainingOf(fallen(saving, [job('meaning', 60)]), job('meaning', 60))).toBe(60);
  });
});

test.each([
  [null, ''],
  [4, 'a few seconds left'],
  [36, 'about 40 seconds left'],
  [58, 'about 1 minute left'],
  [200, 'about 3 minutes left'],
  [7300, 'about 2 hours left'],
])('%s seconds are "%s"', (seconds, expected) => expect(leftWords(seconds)).toBe(expected));

test.each([
  [400, 'under a second'],
  [12_000, '12 s'],
  [190_000, '3 min 10 s'],
  [120_000, '2 min'],
  [3_900_000, '1 h 5 min'],
])('%i ms took "%s"', (ms, expected) => expect(tookWords(ms)).toBe(expected));

test('a rate is whole, but for slow ones', () => {
  expect([rateWords(412.4), rateWords(2.26), rateWords(0)]).toEqual(['412 a second', '2.3 a second', '']);
});

test('no total, no bar', () => {
  expect(fraction({ stage: 'reading', done: 5, total: 0, rate: 0, remaining_s: null })).toBeNull();
  expect(fraction({ stage: 'reading', done: 5, total: 4, rate: 0, remaining_s: null })).toBe(1);
});

test('a rate that nothing reaches is not told', () => {
  expect(rateWords(412)).toBe('412 a second');
  expect(rateWords(100_000_000)).toBe('');
});

test('words are promised only once they can be searched', () => {
  expect(noteOf(job('saving', null))).not.toMatch(/find/);
  expect(noteOf(job('meaning', null))).toMatch(/find all of it by words/);
});

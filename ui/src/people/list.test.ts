import { expect, test } from 'vitest';
import type { PersonRow } from '../api';
import { startOfDay } from '../state/dates';
import { matching, meWith, metWords } from './list';

const person = (id: string, name: string, messages: number, me = false): PersonRow => ({
  id,
  name,
  me,
  sources: [],
  identities: 1,
  messages,
  first: startOfDay('2013-04-02', 'UTC'),
  last: startOfDay('2019-08-02', 'UTC'),
});
const people = [
  person('a', 'Ana Beltrán', 10),
  person('b', '田辺 由佳', 30),
  person('n', 'Nora Lind', 5, true),
];
const ids = (typed: string) => matching(people, typed).map((p) => p.id);

test('me first, then most messages', () => expect(ids('')).toEqual(['n', 'b', 'a']));
test('every word, without accents and case', () => {
  expect(ids('beltran ANA')).toEqual(['a']);
  expect(ids('由佳')).toEqual(['b']);
  expect(ids('ana lind')).toEqual([]);
});

test('first and last month', () => {
  expect(metWords(people[0]!, Date.UTC(2026, 1, 1), 'UTC')).toBe('Apr 2013 – Aug 2019');
  expect(metWords({ ...people[0]!, first: null, last: null }, 0, 'UTC')).toBe('no messages');
});

test('several people may be the owner', () => {
  expect(meWith(people, 'a', true)).toEqual(['n', 'a']);
  expect(meWith(people, 'n', false)).toEqual([]);
});

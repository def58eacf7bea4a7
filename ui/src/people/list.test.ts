import { expect, test } from 'vitest';
import type { Identity, PersonRow, Suggestion } from '../api';
import { startOfDay } from '../state/dates';
import { matching, meWith, keyOf, metWords, personFilter, signsOf, standing, withDecided } from './list';

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

test('an identity is told by its numbers, addresses and handles, or by its key', () => {
  const plain: Identity = {
    id: 'i',
    source: 'signal',
    key: 'Ana',
    name: 'Ana',
    numbers: [],
    addresses: [],
    handles: [],
    messages: 1,
  };
  expect(signsOf(plain)).toEqual([]);
  expect(signsOf({ ...plain, key: 'user-7' })).toEqual(['user-7']);
  expect(
    signsOf({ ...plain, numbers: ['+49 176 1'], addresses: ['a@b.org'], handles: ['@ana', 'ana'] }),
  ).toEqual(['+49 176 1', 'a@b.org', '@ana']);
});

test('a suggestion ends with the people it speaks of', () => {
  const suggestion: Suggestion = { one: people[0]!, other: people[1]!, evidence: [] };
  expect(standing([suggestion], people)).toEqual([suggestion]);
  expect(standing([suggestion], people.slice(1))).toEqual([]);
});

test('a pair that was answered stays where it stood until it is asked about again', () => {
  const pairs = ['1', '2', '3'].map((id): Suggestion => ({
    one: { ...people[0]!, id },
    other: { ...people[1]!, id: `${id}b` },
    evidence: [],
  }));
  const [first, second, third] = pairs as [Suggestion, Suggestion, Suggestion];
  const told = (waiting: Suggestion[], decided: Parameters<typeof withDecided>[1]) =>
    withDecided(waiting, decided).map(({ pair, said }) => `${keyOf(pair)} ${said ?? 'waits'}`);
  const one = { pair: second, at: 1, said: 'one person now' };
  expect(told([first, third], [one])).toEqual(['1 1b waits', '2 2b one person now', '3 3b waits']);
  expect(told([first], [one, { pair: third, at: 2, said: 'two people' }])).toEqual([
    '1 1b waits',
    '2 2b one person now',
    '3 3b two people',
  ]);
  expect(told(pairs, [one])).toEqual(['1 1b waits', '2 2b waits', '3 3b waits']);
});

test.each([
  ['Ana', 'person:Ana'],
  ['Ana Beltrán', 'person:"Ana Beltrán"'],
  ['由佳', 'person:由佳'],
  ['"A" b', 'person:"A b"'],
])('%s is searched by %s', (name, filter) => expect(personFilter(name)).toBe(filter));

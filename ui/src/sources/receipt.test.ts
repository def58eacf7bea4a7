import { describe, expect, test } from 'vitest';
import type { DryRun, Receipt } from '../api';
import { startOfDay } from '../state/dates';
import {
  countsLine,
  dryLine,
  factsOf,
  finishedLine,
  formatsOf,
  listWords,
  meaningOf,
  monthsOf,
  namesOf,
  pageOf,
  reasonsLine,
  reportOf,
  termsOf,
  toWrite,
} from './receipt';

const zone = 'Europe/Stockholm';
const noon = startOfDay('2025-11-20', zone) + 12 * 3_600_000;
const receipt: Receipt = {
  import: 7,
  names: ['result.json'],
  formats: ['telegram'],
  seen: 1000,
  added: 40,
  updated: 3,
  duplicate: 900,
  skipped: 50,
  failed: 7,
  skipped_because: [{ reason: 'service notices', count: 50, places: [{ file: 'result.json', at: 12 }] }],
  failed_because: [{ reason: 'with a date that cannot be read', count: 7, places: [] }],
  conversations: 118,
  first: startOfDay('2016-03-03', zone),
  last: noon,
  notes: [],
  started: noon - 190_000,
  took_ms: 190_000,
  stopped: false,
  undone: null,
  wall_times: 0,
  zone: '',
};
const dry = (changes: Partial<Receipt>): DryRun => ({
  receipt: { ...receipt, ...changes },
  sentence: '',
  people: [],
  titles: [],
  pictures: 0,
  day_first: null,
});

test('the equation holds', () => {
  const [seen, ...parts] = termsOf(receipt);
  expect(parts.reduce((sum, term) => sum + term.count, 0)).toBe(seen?.count);
  expect(termsOf(receipt).map((t) => t.sign)).toEqual(['', '=', '+', '+', '+', '+']);
});

describe('each number says what it is', () => {
  test('seen names file, conversations and span', () =>
    expect(meaningOf('seen', receipt, zone)).toMatch(
      /^1,000 records read from result\.json, in 118 conversations, from .*2016 to .*2025\.$/,
    ));
  test('nothing failed is said plainly', () =>
    expect(meaningOf('failed', { ...receipt, failed: 0 }, zone)).toBe('Nothing failed.'));
});

test('reasons in one line', () => {
  expect(reasonsLine(receipt.skipped_because)).toBe('50 × service notices');
});

test('names of several files', () => {
  expect(namesOf({ names: ['a.txt', 'b.txt', 'c.txt'] })).toBe('a.txt and 2 more');
  expect(namesOf({ names: [] })).toBe('the export');
});

test('when it finished, or was stopped', () => {
  expect(finishedLine(receipt, noon + 3_600_000, zone)).toMatch(
    /^result\.json, finished today at 12:00.* in 3 min 10 s$/,
  );
  expect(finishedLine({ ...receipt, stopped: true }, noon + 9e8, zone)).toMatch(/stopped .*2025 in/);
});

test('months until today', () => {
  expect(monthsOf(receipt.first, noon, noon, zone)).toBe('Mar 2016 – today');
  expect(monthsOf(receipt.first, startOfDay('2019-08-02', zone), noon, zone)).toBe('Mar 2016 – Aug 2019');
  expect(monthsOf(receipt.first, receipt.first, noon, zone)).toBe('Mar 2016');
  expect(monthsOf(null, null, noon, zone)).toBe('');
});

test('a dry run says that nothing is saved', () => {
  expect(dryLine(dry({}))).toBe('Nothing is saved yet. 943 messages, 40 of them new, 3 changed.');
  expect(dryLine(dry({ updated: 0, duplicate: 0 }))).toBe(
    'Nothing is saved yet. 40 messages, all of them new.',
  );
  expect(dryLine(dry({ added: 0, updated: 0 }))).toBe(
    'Nothing is saved yet. 900 messages, none of them new.',
  );
  expect(dryLine(dry({ added: 0, updated: 0, duplicate: 0 }))).toBe('Nothing is saved yet. 0 messages.');
  expect(toWrite(dry({}))).toBe(43);
});

test('the report holds figures, and no file name', () => {
  const report = reportOf('unknown_format', '0.1.0', receipt);
  expect(report).toMatch(/failed {6}7/);
  expect(report).not.toMatch(/result\.json/);
});

test('an export of several formats is not called by one alone', () => {
  expect(formatsOf(['a'], (key) => key.toUpperCase())).toBe('A');
  expect(formatsOf(['a', 'b', 'c'], (key) => key.toUpperCase())).toBe('A and 2 more');
});

test('a dry run names its numbers by what they would be', () => {
  expect(termsOf({ ...receipt, import: 0 }).map((t) => t.name)).toEqual([
    'seen',
    'new',
    'changed',
    'known',
    'to skip',
    'unreadable',
  ]);
  expect(meaningOf('skipped', { ...receipt, import: 0 }, zone)).toBe(
    '50 records that would be left out on purpose.',
  );
});

test('facts of a dry run; what is not known has no line', () => {
  const found: DryRun = {
    ...dry({ import: 0 }),
    people: ['Ana', 'Basti', 'Cleo', 'Dora', 'Emil'],
    titles: ['Boat', 'Flat', 'Soup', 'Tea'],
  };
  const facts = factsOf(found, (key) => key.toUpperCase(), zone);
  expect(facts.map(({ name, value }) => `${name}: ${value}`)).toEqual([
    'Format: TELEGRAM',
    '118 conversations: Boat, Flat, Soup and 115 more',
    '5 people: Ana, Basti, Cleo, Dora and 1 more',
    expect.stringMatching(/^From – to: .*2016 – .*2025$/),
  ]);
  expect(factsOf(dry({ first: null, last: null, formats: [] }), String, zone)).toEqual([]);
});

test('lists in words', () => {
  expect(listWords(['a', 'b'], 3)).toBe('a, b');
  expect(listWords(['a', 'b', 'c'], 2)).toBe('a, b and 1 more');
  expect(countsLine(receipt)).toBe('40 added, 3 updated, 900 known, 50 skipped, 7 failed');
  expect(countsLine({ ...receipt, added: 0, updated: 0, duplicate: 0, skipped: 0, failed: 0 })).toBe(
    'nothing in it',
  );
});

test('a page of a long list', () => {
  const all = Array.from({ length: 104 }, (_, at) => at);
  expect(pageOf(all, 0, 50)).toMatchObject({ words: '1–50 of 104', last: 2 });
  expect(pageOf(all, 2, 50).items).toEqual([100, 101, 102, 103]);
  expect(pageOf(all, 9, 50).words).toBe('101–104 of 104');
  expect(pageOf([], 0, 50)).toEqual({ items: [], words: '0', last: 0 });
});

import { expect, test } from 'vitest';
import type { Discovered, WatchedRow } from '../api';
import { changedWords, importedWords, isWatched, placeWords, sizeWords } from './found';

const zone = 'Europe/Berlin';
const vault: Discovered = {
  source: 'markdown',
  label: 'Obsidian vault',
  path: '/home/ana/Notes',
  files: 412,
  bytes: 6_500_000,
  first: Date.UTC(2019, 4, 3, 12),
  last: Date.UTC(2026, 10, 2, 12),
  watchable: true,
  more: false,
  imported: null,
};

test('size in files and bytes', () => {
  expect(sizeWords(vault)).toBe('412 files, 6.2 MB');
  expect(sizeWords({ ...vault, files: 1 })).toBe('6.2 MB');
  expect(sizeWords({ ...vault, files: 200_000, more: true })).toBe('more than 200,000 files, 6.2 MB');
});

test('span from the dates of its files', () => {
  expect(changedWords(vault, zone)).toMatch(/^changed .*2019 – .*2026$/);
  expect(changedWords({ ...vault, first: vault.last }, zone)).toMatch(/^changed [^–]*2026$/);
  expect(changedWords({ ...vault, first: null, last: null }, zone)).toBe('');
});

test('what was imported says when, and whether it was changed since', () => {
  expect(importedWords(vault, zone)).toBe('');
  expect(importedWords({ ...vault, imported: Date.UTC(2026, 10, 3, 12) }, zone)).toMatch(/^imported .*2026$/);
  expect(importedWords({ ...vault, imported: Date.UTC(2026, 10, 1, 12) }, zone)).toMatch(
    /2026 · changed since$/,
  );
});

test.each([
  ['/home/ana/Notes', '~/Notes'],
  ['/Users/ana/Library/x', '~/Library/x'],
  ['C:\\Users\\ana\\Notes', '~\\Notes'],
  ['/homes/ana', '/homes/ana'],
  ['/media/disk', '/media/disk'],
])('%s is %s', (path, expected) => expect(placeWords(path)).toBe(expected));

test('what lies in a watched folder is watched', () => {
  const rows = [{ path: '/home/ana/Notes' } as WatchedRow];
  expect(isWatched('/home/ana/Notes', rows)).toBe(true);
  expect(isWatched('/home/ana/Notes/inner', rows)).toBe(true);
  expect(isWatched('/home/ana/Notes2', rows)).toBe(false);
});

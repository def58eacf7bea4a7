import { expect, it } from 'vitest';
import type { Hit } from '../api';
import { conversationsOf, foldedRows } from './fold';

/** "A1 A2 B3": conversation and number. */
function hits(written: string): Hit[] {
  return written
    .split(' ')
    .filter(Boolean)
    .map((id) => ({ message: { id, conversation: id[0] } }) as Hit);
}

function check(written: string, unfolded: string[], expected: string): void {
  const rows = foldedRows(hits(written), new Set(unfolded));
  expect(
    rows.map((row) => (row.type === 'hit' ? row.key : `${row.open ? '-' : '+'}${row.count}`)).join(' '),
  ).toBe(expected);
}

it.each<[string, string, string[], string]>([
  ['nothing', '', [], ''],
  ['no neighbours of one conversation', 'A1 B2 A3', [], 'A1 B2 A3'],
  ['a run', 'A1 A2 A3 B4', [], 'A1 +2 B4'],
  ['two runs of one conversation', 'A1 A2 B3 A4 A5', [], 'A1 +1 B3 A4 +1'],
  ['unfolded', 'A1 A2 A3 B4', ['A1'], 'A1 -2 A2 A3 B4'],
  ['unfolded by an id that is no first one', 'A1 A2', ['A2'], 'A1 +1'],
])('%s', (_, written, unfolded, expected) => check(written, unfolded, expected));

it('lists conversations by their first hit', () => {
  expect(conversationsOf(hits('B1 A2 B3 C4'))).toEqual(['B', 'A', 'C']);
});

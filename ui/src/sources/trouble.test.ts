import { expect, test } from 'vitest';
import type { Receipt } from '../api';
import { canRetry, notLost, titleOf } from './trouble';

test.each([
  ['unknown_format', 'Evoke does not know this kind of file', false],
  ['busy', 'Another Evoke is writing', true],
  ['something new', 'This import stopped early', true],
])('%s', (kind, title, retry) => {
  expect(titleOf({ kind, message: '' })).toBe(title);
  expect(canRetry({ kind, message: '' })).toBe(retry);
});

test('what is saved is counted only where a receipt says so', () => {
  const receipt = { added: 5_000, updated: 704 } as Receipt;
  expect(notLost({ receipt })).toBe(
    '5,704 messages were read and are saved. Everything else in Evoke is untouched.',
  );
  expect(notLost({ receipt: null })).toBe('Everything that was in Evoke before is untouched.');
});

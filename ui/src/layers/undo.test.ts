import { expect, test } from 'vitest';
import type { Forgotten } from '../api';
import { undoWords } from './undo';

const day = Date.UTC(2023, 4, 2, 12);
const preview: Forgotten = {
  messages: 4,
  passages: 4,
  conversations: 1,
  people: 2,
  first: day,
  last: day,
  sentence: '',
  done: false,
  took_ms: 0,
};

test('what goes, of when, and of what nothing is left', () => {
  expect(undoWords(preview, 'UTC')).toMatch(
    /^4 messages of .*2023 that only this import brought go, and with them all there is of 1 conversation and 2 people\.$/,
  );
  expect(undoWords({ ...preview, messages: 1, conversations: 0, people: 0, first: null }, 'UTC')).toBe(
    '1 message that only this import brought goes.',
  );
  expect(undoWords({ ...preview, messages: 0 }, 'UTC')).toMatch(/^No message goes/);
});

import { expect, test } from 'vitest';
import { bytesWords, coverageWords, percentWords, protectionWords, vectorsWords } from './facts';

test.each([
  [0, '0 bytes'],
  [1023, '1,023 bytes'],
  [1024, '1 KB'],
  [6_500_000, '6.2 MB'],
  [1_932_735_283, '1.8 GB'],
  [250 * 1024 ** 3, '250 GB'],
])('%i bytes are %s', (bytes, expected) => expect(bytesWords(bytes)).toBe(expected));

const coverage = { passages: 110, embedded: 90, waiting: 7, failed: 3, excluded: 10 };

test('coverage counts what can be embedded', () => {
  expect(coverageWords(coverage)).toBe('90 of 100 passages, 7 waiting, 3 failed');
  expect(coverageWords({ ...coverage, embedded: 100, waiting: 0, failed: 0 })).toBe('100 of 100 passages');
});

test('never 100 % while anything waits', () => {
  expect(percentWords({ percent: 100, coverage, vectors: 'exact' })).toBe('99 %');
  expect(percentWords({ percent: 100, coverage: { ...coverage, waiting: 0 }, vectors: 'exact' })).toBe(
    '100 %',
  );
});

test('names for people', () => {
  expect(protectionWords('key_file')).toBe('A key file');
  expect(vectorsWords('exact')).toBe('every passage is compared');
});

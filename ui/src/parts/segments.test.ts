import { describe, expect, it } from 'vitest';
import { moveToText, places, segments, type Span } from './segments';

/** "plain [match] {similar}" */
function drawn(text: string, matches: Span[], similar: Span | null = null): string {
  const marks = { plain: ['', ''], match: ['[', ']'], similar: ['{', '}'] } as const;
  return segments(text, matches, similar)
    .map((s) => marks[s.look][0] + s.text + marks[s.look][1])
    .join('');
}

describe('segments', () => {
  it.each<[string, string, Span[], Span | null, string]>([
    ['nothing', 'abc', [], null, 'abc'],
    ['a word', 'so we decided it', [{ start: 6, end: 13 }], null, 'so we [decided] it'],
    [
      'touching words',
      'abcd',
      [
        { start: 0, end: 2 },
        { start: 2, end: 4 },
      ],
      null,
      '[abcd]',
    ],
    [
      'overlapping words',
      'abcdef',
      [
        { start: 1, end: 4 },
        { start: 2, end: 5 },
      ],
      null,
      'a[bcde]f',
    ],
    [
      'out of order',
      'abcd',
      [
        { start: 3, end: 4 },
        { start: 0, end: 1 },
      ],
      null,
      '[a]bc[d]',
    ],
    ['overhanging', 'abc', [{ start: 2, end: 9 }], null, 'ab[c]'],
    ['a near sentence', 'One. Two.', [], { start: 5, end: 9 }, 'One. {Two.}'],
    ['a match inside it', 'One two.', [{ start: 4, end: 7 }], { start: 0, end: 8 }, '{One }[two]{.}'],
    ['UTF-16, as JavaScript counts', '😩 no', [{ start: 3, end: 5 }], null, '😩 [no]'],
    ['empty text', '', [{ start: 0, end: 0 }], null, ''],
  ])('%s', (_, text, matches, similar, expected) => expect(drawn(text, matches, similar)).toBe(expected));
});

describe('moveToText', () => {
  const text = 'First words. The hut is free. Last words.';
  it.each<[string, string, Span[], string[]]>([
    ['cut at both ends', '… The hut is free. …', [{ start: 6, end: 9 }], ['hut']],
    ['cut at the end', 'First words. The …', [{ start: 0, end: 5 }], ['First']],
    ['whole', text, [{ start: 30, end: 34 }], ['Last']],
    ['not word for word', 'The hut was free.', [{ start: 4, end: 7 }], []],
    ['empty', '', [], []],
  ])('%s', (_, snippet, ranges, expected) =>
    expect(moveToText(text, snippet, ranges).map((r) => text.slice(r.start, r.end))).toEqual(expected),
  );
});

describe('places', () => {
  it.each<[string, string[], string[]]>([
    ['In September, september', ['SEPTEMBER'], ['September', 'september']],
    ['a.b axb', ['a.b'], ['a.b']],
    ['9月なら', ['9月'], ['9月']],
    ['trips trip', ['trip', 'trips'], ['trips', 'trip']],
    ['anything', [''], []],
  ])('%s', (text, words, expected) =>
    expect(places(text, words).map((r) => text.slice(r.start, r.end))).toEqual(expected),
  );
});

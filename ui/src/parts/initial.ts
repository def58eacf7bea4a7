// The letter an avatar shows.

const segments = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** First letter or digit of a name, in capitals; the given name's where the family name comes first (CJK). */
export function initial(name: string): string {
  const words = name.trim().split(/\s+/);
  const word = /^[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}]/u.test(name) ? words.at(-1) : words[0];
  for (const { segment } of segments.segment(word ?? '')) {
    if (/[\p{L}\p{N}#]/u.test(segment)) return segment.toLocaleUpperCase();
  }
  return [...segments.segment(name.trim())][0]?.segment ?? '?';
}

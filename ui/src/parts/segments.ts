// Ranges over a text → the pieces to draw. Bold is a word that matched; tint is the closest sentence
// of a hit by meaning. Ranges count UTF-16 code units, as JavaScript does.

export type Span = { start: number; end: number };
export type Look = 'plain' | 'match' | 'similar';
export type Segment = { text: string; look: Look };

/** Cuts `text` at the ranges. Ranges may overlap, touch or overhang; a match wins over the tint. */
export function segments(text: string, matches: Span[], similar: Span | null = null): Segment[] {
  const edges = new Set([0, text.length]);
  for (const { start, end } of similar ? [...matches, similar] : matches) {
    edges.add(clamp(start, text.length)).add(clamp(end, text.length));
  }
  const cuts = [...edges].sort((a, b) => a - b);
  const pieces: Segment[] = [];
  for (let at = 0; at + 1 < cuts.length; at += 1) {
    const [start = 0, end = 0] = [cuts[at], cuts[at + 1]];
    append(pieces, { text: text.slice(start, end), look: lookOf(start, end, matches, similar) });
  }
  return pieces;
}

function lookOf(start: number, end: number, matches: Span[], similar: Span | null): Look {
  const covers = (span: Span) => span.start <= start && end <= span.end;
  if (matches.some(covers)) return 'match';
  return similar && covers(similar) ? 'similar' : 'plain';
}

function append(pieces: Segment[], piece: Segment): void {
  const last = pieces.at(-1);
  if (last?.look === piece.look) last.text += piece.text;
  else if (piece.text) pieces.push(piece);
}

function clamp(at: number, length: number): number {
  return Math.min(Math.max(at, 0), length);
}

/**
 * The ranges of a snippet, moved to the text it was cut from. Empty where the snippet does not stand
 * in the text word for word (it may have been cleaned).
 */
export function moveToText(text: string, snippet: string, ranges: Span[]): Span[] {
  const cutAtStart = snippet.startsWith('…') ? snippet.length - snippet.replace(/^…\s*/, '').length : 0;
  const core = snippet.slice(cutAtStart).replace(/\s*…$/, '');
  const at = text.indexOf(core);
  if (at < 0 || core === '') return [];
  const by = at - cutAtStart;
  return ranges.map(({ start, end }) => ({ start: start + by, end: end + by }));
}

/** Every place where one of the words stands in the text, case folded, longest first where they overlap. */
export function places(text: string, words: string[]): Span[] {
  const wanted = words.filter(Boolean).sort((a, b) => b.length - a.length);
  if (wanted.length === 0) return [];
  const pattern = new RegExp(wanted.map((w) => w.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('|'), 'giu');
  return [...text.matchAll(pattern)].map((m) => ({ start: m.index, end: m.index + m[0].length }));
}

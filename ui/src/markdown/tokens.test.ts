import { describe, expect, it } from 'vitest';
import { blocksOf, headingsOf, type Block, type Inline } from './tokens';

/** A short notation of the tree: p(text strong(…)). */
function written(blocks: Block[]): string {
  return blocks.map(ofBlock).join(' ');
}
function ofBlock(block: Block): string {
  switch (block.type) {
    case 'paragraph':
      return `p(${inlines(block.inner)})`;
    case 'heading':
      return `h${block.depth}(${inlines(block.inner)})`;
    case 'code':
      return `pre:${block.language}(${block.text})`;
    case 'quote':
      return `quote(${written(block.blocks)})`;
    case 'list':
      return `${block.ordered ? `ol${block.start}` : 'ul'}(${block.items.map((i) => (i.done === null ? '' : i.done ? '☑' : '☐') + written(i.blocks)).join(', ')})`;
    case 'table':
      return `table(${[block.head, ...block.rows].map((row) => row.map(inlines).join(' | ')).join(' / ')})`;
    case 'rule':
      return 'hr';
  }
}
function inlines(inner: Inline[]): string {
  return inner.map(ofInline).join('');
}
function ofInline(piece: Inline): string {
  if (piece.type === 'text') return piece.text;
  if (piece.type === 'break') return '⏎';
  if (piece.type === 'link') return `link:${piece.address}(${inlines(piece.inner)})`;
  return 'inner' in piece ? `${piece.type}(${inlines(piece.inner)})` : `${piece.type}(${piece.text})`;
}

describe('blocksOf', () => {
  it.each([
    ['one **two** *three* `four`', 'p(one strong(two) em(three) code(four))'],
    ['# A\n\nb', 'h1(A) p(b)'],
    ['a\nb', 'p(a⏎b)'],
    ['- a\n- b', 'ul(p(a), p(b))'],
    ['3. a\n4. b', 'ol3(p(a), p(b))'],
    ['- [x] a\n- [ ] b', 'ul(☑p(a), ☐p(b))'],
    ['> a', 'quote(p(a))'],
    ['```python\nprint(1)\n```', 'pre:python(print(1))'],
    ['| a | b |\n|---|---|\n| 1 | 2 |', 'table(a | b / 1 | 2)'],
    ['[x](https://example.org)', 'p(link:https://example.org(x))'],
    ['![a photo](x.png)', 'p(image(a photo))'],
    ['---', 'hr'],
    ['', ''],
  ])('%j', (text, expected) => expect(written(blocksOf(text))).toBe(expected));
});

describe('HTML stays text', () => {
  it.each([
    ['<script>alert(1)</script>', 'p(<script>alert(1)</script>)'],
    ['a <img src=x onerror=alert(1)> b', 'p(a <img src=x onerror=alert(1)> b)'],
    ['<div>\n\n**b**\n\n</div>', 'p(<div>) p(strong(b)) p(</div>)'],
    ['[x](javascript:alert(1))', 'p(link:javascript:alert(1)(x))'],
  ])('%j', (text, expected) => expect(written(blocksOf(text))).toBe(expected));
});

it('finds the headings of a note', () => {
  expect(headingsOf('# One **two**\n\ntext\n\n## Three')).toEqual(['One two', 'Three']);
});

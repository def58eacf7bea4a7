// Markdown → a tree of our own with only what we draw. HTML in the text stays text; addresses stay
// words: nothing an archive holds can load, run or lead anywhere. The grammar is marked's.

import { marked, type Token, type Tokens } from 'marked';

export type Inline =
  | { type: 'text'; text: string }
  | { type: 'code'; text: string }
  | { type: 'break' }
  | { type: 'strong' | 'em' | 'del'; inner: Inline[] }
  | { type: 'link'; inner: Inline[]; address: string }
  | { type: 'image'; text: string };

export type Block =
  | { type: 'paragraph'; inner: Inline[] }
  | { type: 'heading'; depth: number; inner: Inline[] }
  | { type: 'code'; text: string; language: string }
  | { type: 'quote'; blocks: Block[] }
  | { type: 'list'; ordered: boolean; start: number; items: { done: boolean | null; blocks: Block[] }[] }
  | { type: 'table'; head: Inline[][]; rows: Inline[][][] }
  | { type: 'rule' };

export function blocksOf(text: string): Block[] {
  return marked.lexer(text, { gfm: true, breaks: true }).flatMap(block);
}

function block(token: Token): Block[] {
  switch (token.type) {
    case 'space':
    case 'def':
      return [];
    case 'heading':
      return [{ type: 'heading', depth: token.depth, inner: inlines(token.tokens) }];
    case 'code':
      return [{ type: 'code', text: token.text, language: token.lang ?? '' }];
    case 'blockquote':
      return [{ type: 'quote', blocks: (token.tokens ?? []).flatMap(block) }];
    case 'list':
      return [list(token as Tokens.List)];
    case 'table':
      return [table(token as Tokens.Table)];
    case 'hr':
      return [{ type: 'rule' }];
    case 'html':
      return [{ type: 'paragraph', inner: [plain(token.raw.trimEnd())] }];
    default:
      return [{ type: 'paragraph', inner: 'tokens' in token ? inlines(token.tokens) : [plain(token.raw)] }];
  }
}

function list(token: Tokens.List): Block {
  const items = token.items.map((item) => ({
    done: item.task ? (item.checked ?? false) : null,
    blocks: item.tokens.filter((t) => t.type !== 'checkbox').flatMap(block),
  }));
  return { type: 'list', ordered: token.ordered, start: Number(token.start) || 1, items };
}

function table(token: Tokens.Table): Block {
  const cells = (row: Tokens.TableCell[]) => row.map((cell) => inlines(cell.tokens));
  return { type: 'table', head: cells(token.header), rows: token.rows.map(cells) };
}

function inlines(tokens: Token[] = []): Inline[] {
  return tokens.map(inline);
}

function inline(token: Token): Inline {
  switch (token.type) {
    case 'strong':
    case 'em':
    case 'del':
      return { type: token.type, inner: inlines(token.tokens) };
    case 'codespan':
      return { type: 'code', text: token.text };
    case 'br':
      return { type: 'break' };
    case 'link':
      return { type: 'link', inner: inlines(token.tokens), address: token.href };
    case 'image':
      return { type: 'image', text: token.text || token.title || 'Picture' };
    case 'html':
      return plain(token.raw);
    default:
      return 'text' in token ? plain(token.text) : plain(token.raw);
  }
}

function plain(text: string): Inline {
  return { type: 'text', text };
}

/** The headings of a note, for its outline. */
export function headingsOf(text: string): string[] {
  return blocksOf(text).flatMap((b) => (b.type === 'heading' ? [wordsOf(b.inner)] : []));
}

function wordsOf(inner: Inline[]): string {
  return inner.map((i) => ('inner' in i ? wordsOf(i.inner) : 'text' in i ? i.text : ' ')).join('');
}

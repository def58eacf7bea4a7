// Which picture stands for which source. A source without its own takes that of its kind.

import type { Kind } from '../api';
import type { GlyphName } from './pictures';

const bySource: Record<string, GlyphName> = {
  whatsapp: 'wa',
  telegram: 'tg',
  signal: 'sig',
  imessage: 'im',
  sms: 'sms',
  slack: 'slack',
  discord: 'slack',
  teams: 'slack',
  matrix: 'slack',
  irc: 'slack',
  reddit: 'thread',
  twitter: 'feed',
  linkedin: 'feed',
  mail: 'mail',
  email: 'mail',
  mbox: 'mail',
  chatgpt: 'gpt',
  claude: 'claude',
  'claude-code': 'term',
  'gemini-cli': 'term',
  codex: 'codex',
  'apple-journal': 'book',
  'day-one': 'book',
  documents: 'page',
  pdf: 'page',
  docx: 'page',
  html: 'page',
  text: 'page',
};

const byKind: Record<Kind, GlyphName> = { chat: 'sms', ai: 'gpt', note: 'note', mail: 'mail', web: 'web' };

/** The glyph of a source key, or of the kind of writing it holds. */
export function glyphOf(source: string, kind = 'chat'): GlyphName {
  return bySource[source.toLowerCase().replaceAll('_', '-')] ?? byKind[kind as Kind] ?? 'sms';
}

// Which picture stands for which source. A source without its own takes that of its kind.

import type { GlyphName } from './pictures';

const bySource: Record<string, GlyphName> = {
  whatsapp: 'wa',
  telegram: 'tg',
  signal: 'sig',
  imessage: 'im',
  sms: 'sms',
  slack: 'slack',
  discord: 'slack',
  mail: 'mail',
  mbox: 'mail',
  chatgpt: 'gpt',
  claude: 'claude',
  'claude-code': 'term',
  codex: 'codex',
  obsidian: 'note',
  markdown: 'note',
  notes: 'note',
};

const byKind: Record<string, GlyphName> = { chat: 'sms', ai: 'gpt', note: 'note', mail: 'mail' };

/** The glyph of a source key, or of the kind of writing it holds. */
export function glyphOf(source: string, kind = 'chat'): GlyphName {
  return bySource[source.toLowerCase().replaceAll('_', '-')] ?? byKind[kind] ?? 'sms';
}

import { expect, test } from 'vitest';
import { glyphOf } from './glyph';

test.each([
  ['whatsapp', 'chat', 'wa'],
  ['claude_code', 'ai', 'term'],
  ['gemini_cli', 'ai', 'term'],
  ['browser', 'web', 'web'],
  ['a format of tomorrow', 'mail', 'mail'],
  ['a format of tomorrow', 'note', 'note'],
  ['a format of tomorrow', 'a kind of tomorrow', 'sms'],
])('%s, %s', (source, kind, glyph) => expect(glyphOf(source, kind)).toBe(glyph));

import { expect, test } from 'vitest';
import { conversationKindWords, counted, hasMany, talkOf } from './words';

test('one and many', () => {
  expect(counted(1, 'message')).toBe('1 message');
  expect(counted(1_204, 'person', 'people')).toBe('1,204 people');
});

test('what a conversation is called, by kind of writing and by its own kind', () => {
  expect([talkOf('mail'), talkOf('web'), talkOf('note'), talkOf('ai')]).toEqual([
    'thread',
    'page',
    'note',
    'chat',
  ]);
  expect(conversationKindWords('thread')).toBe('thread');
  expect((['direct', 'group', 'channel', 'ai', 'note', 'thread'] as const).filter(hasMany)).toEqual([
    'group',
    'channel',
    'thread',
  ]);
});

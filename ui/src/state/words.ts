// Numbers and kinds of things as a person reads them, in their locale.

import type { ConversationKind, Kind } from '../api';

const numbers = new Intl.NumberFormat();

/** 1204331 → "1,204,331". */
export function grouped(n: number): string {
  return numbers.format(n);
}

/** `counted(1, 'message')` → "1 message", `counted(96, 'message')` → "96 messages". */
export function counted(n: number, one: string, many = one + 's'): string {
  return `${grouped(n)} ${n === 1 ? one : many}`;
}

const talks: Record<Kind, string> = { chat: 'chat', ai: 'chat', note: 'note', mail: 'thread', web: 'page' };

/** What one conversation of a kind is called: a chat, a note, a thread of mails, a page of the web. */
export function talkOf(kind: Kind): string {
  return talks[kind] ?? 'chat';
}

const kinds: Record<ConversationKind, string> = {
  direct: 'talk of two',
  group: 'group',
  channel: 'channel',
  ai: 'AI chat',
  note: 'note',
  thread: 'thread',
};

export function conversationKindWords(kind: ConversationKind): string {
  return kinds[kind] ?? 'conversation';
}

/** Whether more than two may speak in it, so that how many do is worth a word. */
export function hasMany(kind: ConversationKind): boolean {
  return kind === 'group' || kind === 'channel' || kind === 'thread';
}

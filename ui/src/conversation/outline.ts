// What stands in the column beside a conversation: a person's questions in an AI chat, the headings
// of a note, and otherwise the places that the last search found here.

import type { Hit, Page } from '../api';
import { headingsOf } from '../markdown/tokens';

export type Entry = {
  key: string;
  text: string;
  /** The message it leads to. */
  message: string;
  /** Which of the message's headings, from 0. */
  heading?: number;
  /** Messages from here to the next entry; matches of "find" are counted in them. */
  covers: ReadonlySet<string>;
};

export type Outline = { title: string; entries: Entry[] };

export function outlineOf(page: Page, hits: Hit[]): Outline {
  if (page.kind === 'ai') return { title: 'Your questions', entries: questions(page) };
  if (page.kind === 'note') return { title: 'In this note', entries: headings(page) };
  const here = hits.filter((hit) => hit.message.conversation === page.conversation);
  return { title: 'Found here', entries: here.map(found) };
}

function questions(page: Page): Entry[] {
  const entries: { message: string; text: string; covers: Set<string> }[] = [];
  for (const message of page.messages) {
    if (message.mine && message.part === 'text') {
      entries.push({ message: message.id, text: firstSentence(message.text), covers: new Set() });
    }
    entries.at(-1)?.covers.add(message.id);
  }
  return entries.map((entry) => ({ ...entry, key: entry.message }));
}

function headings(page: Page): Entry[] {
  return page.messages.flatMap((message) =>
    headingsOf(message.text).map((text, at) => ({
      key: `${message.id} ${at}`,
      text,
      message: message.id,
      heading: at,
      covers: new Set<string>(),
    })),
  );
}

function found({ message, snippet }: Hit): Entry {
  return { key: message.id, text: snippet, message: message.id, covers: new Set([message.id]) };
}

/** Enough of a text to know it again, at most about 90 characters. */
export function firstSentence(text: string): string {
  const line = text.trim().split('\n')[0] ?? '';
  const sentence = line.match(/^.{12,}?[.!?。！？](?=\s|$)/u)?.[0] ?? line;
  return sentence.length > 90 ? sentence.slice(0, 88).trimEnd() + '…' : sentence;
}

// What the palette offers for what was typed: people, conversations, then things to do. Pure: what is
// known comes in, what is chosen goes out as `act`.

import type { ConversationRow, PersonRow } from '../api';
import type { IconName } from '../parts/pictures';
import { counted } from '../state/words';

export type Command = {
  key: string;
  group: 'People' | 'Conversations' | 'Do';
  text: string;
  note: string;
  keys: string[];
  picture: { icon: IconName } | { person: string; you: boolean } | { source: string };
  act: () => void;
};

/** A thing to do, as the palette's owner lists it. */
export type Deed = { text: string; note?: string; keys?: string[]; icon: IconName; act: () => void };

const shown = { people: 3, conversations: 4 };

export type Known = {
  people: PersonRow[];
  conversations: ConversationRow[];
  deeds: Deed[];
  openPerson: (person: PersonRow) => void;
  openConversation: (row: ConversationRow) => void;
};

export function commandsFor(typed: string, known: Known): Command[] {
  const text = folded(typed);
  const people = text ? known.people.filter((p) => matches(p.name, text)) : [];
  const conversations = text ? known.conversations.filter((c) => matches(c.title, text)) : [];
  const deeds = known.deeds.filter((d) => text === '' || matches(`${d.text} ${d.note ?? ''}`, text));
  return [
    ...people.slice(0, shown.people).map((p) => ofPerson(p, known)),
    ...conversations.slice(0, shown.conversations).map((c) => ofConversation(c, known)),
    ...deeds.map(ofDeed),
  ];
}

function ofPerson(person: PersonRow, { openPerson }: Known): Command {
  return {
    key: `person ${person.id}`,
    group: 'People',
    text: person.name,
    note: counted(person.messages, 'message'),
    keys: [],
    picture: { person: person.name, you: person.me },
    act: () => openPerson(person),
  };
}

function ofConversation(row: ConversationRow, { openConversation }: Known): Command {
  return {
    key: `conversation ${row.id}`,
    group: 'Conversations',
    text: row.title,
    note: counted(row.messages, 'message'),
    keys: [],
    picture: { source: row.source },
    act: () => openConversation(row),
  };
}

function ofDeed({ text, note = '', keys = [], icon, act }: Deed): Command {
  return { key: `do ${text}`, group: 'Do', text, note, keys, picture: { icon }, act };
}

/** Each typed word begins a word of the name; accents and case do not count. */
function matches(name: string, text: string): boolean {
  const words = folded(name);
  return text
    .split(' ')
    .every((part) => words.startsWith(part) || words.includes(` ${part}`) || hasUnspaced(words, part));
}

/** Scripts without spaces are found anywhere in a name. */
function hasUnspaced(words: string, part: string): boolean {
  return /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}]/u.test(part) && words.includes(part);
}

function folded(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLocaleLowerCase().replace(/\s+/g, ' ').trim();
}

import { expect, it } from 'vitest';
import type { ConversationRow, PersonRow } from '../api';
import { commandsFor, type Known } from './commands';

const nothing = () => {};
const known: Known = {
  people: ['Jonas Weber', 'Jón Arnarson', 'Ana Beltrán', '田辺 由佳'].map(
    (name) => ({ id: name, name, messages: 1 }) as PersonRow,
  ),
  conversations: ['Jonas & Nora', 'Re: booking'].map(
    (title) => ({ id: title, title, messages: 2 }) as ConversationRow,
  ),
  deeds: [
    { text: 'Go to date …', icon: 'date', act: nothing },
    { text: 'Settings', icon: 'settings', act: nothing },
  ],
  openPerson: nothing,
  openConversation: nothing,
};

it.each([
  ['', ['Go to date …', 'Settings']],
  ['jon', ['Jonas Weber', 'Jón Arnarson', 'Jonas & Nora']],
  ['JÓN', ['Jonas Weber', 'Jón Arnarson', 'Jonas & Nora']],
  ['beltran', ['Ana Beltrán']],
  ['web jon', ['Jonas Weber']],
  ['由佳', ['田辺 由佳']],
  ['date', ['Go to date …']],
  ['onas', []],
])('%j', (typed, expected) => expect(commandsFor(typed, known).map((c) => c.text)).toEqual(expected));

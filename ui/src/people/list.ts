// The list of people: who matches what was typed, and where they were met. Pure.

import type { PersonRow } from '../api';
import { monthsOf } from '../sources/receipt';

/** Without case and accents, as names are typed. */
export function folded(text: string): string {
  return text.normalize('NFKD').replace(/\p{M}/gu, '').toLocaleLowerCase().trim();
}

/** Those whose name holds every typed word; me first, then most messages. */
export function matching(people: PersonRow[], typed: string): PersonRow[] {
  const words = folded(typed).split(/\s+/).filter(Boolean);
  const found = people.filter((person) => words.every((word) => folded(person.name).includes(word)));
  return found.sort((a, b) => Number(b.me) - Number(a.me) || b.messages - a.messages);
}

/** "Apr 2013 – today" */
export function metWords({ first, last }: PersonRow, now: number, zone: string): string {
  return monthsOf(first, last, now, zone) || 'no messages';
}

/** Ids of everyone who is the owner after this person became, or ceased to be, one of them. */
export function meWith(people: PersonRow[], id: string, me: boolean): string[] {
  const others = people.filter((person) => person.me && person.id !== id).map((person) => person.id);
  return me ? [...others, id] : others;
}

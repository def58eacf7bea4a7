// The list of people: who matches what was typed, and where they were met. Pure.

import type { Identity, PersonRow, Suggestion } from '../api';
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

/** What tells an identity from another: numbers, addresses and handles, or its key in the source. */
export function signsOf({ key, name, numbers, addresses, handles }: Identity): string[] {
  const signs = [...numbers, ...addresses, ...handles.map((handle) => `@${handle.replace(/^@/, '')}`)];
  const all = signs.length > 0 ? signs : [key];
  return [...new Set(all)].filter((sign) => folded(sign) !== folded(name) && sign !== '');
}

/** Suggestions that speak of nobody who is gone from the list, as after a merge. */
export function standing(suggestions: Suggestion[], people: PersonRow[]): Suggestion[] {
  const ids = new Set(people.map((person) => person.id));
  return suggestions.filter(({ one, other }) => ids.has(one.id) && ids.has(other.id));
}

/** A pair of which was said whether it is one, where it stood, and what was said. */
export type Decided = { pair: Suggestion; at: number; said: string };

export const keyOf = ({ one, other }: Suggestion) => `${one.id} ${other.id}`;

/** Pairs that wait for an answer, and those just answered at the place where they stood: nothing moves under
    the hand. What is suggested again, as after a split, waits again. */
export function withDecided(
  waiting: Suggestion[],
  decided: Decided[],
): { pair: Suggestion; said: string | null }[] {
  const rows: { pair: Suggestion; said: string | null }[] = waiting.map((pair) => ({ pair, said: null }));
  const keys = new Set(waiting.map(keyOf));
  const stay = decided.filter(({ pair }) => !keys.has(keyOf(pair))).sort((a, b) => a.at - b.at);
  for (const { pair, at, said } of stay) rows.splice(at, 0, { pair, said });
  return rows;
}

/** `person:ana`, in quotes where the name needs them. */
export function personFilter(name: string): string {
  const plain = name.replaceAll('"', '');
  return /^[\p{L}\p{N}]+$/u.test(plain) ? `person:${plain}` : `person:"${plain}"`;
}

// The one place where the query lives: what was typed and what was clicked. The answer to it is
// answer.svelte.ts. The timeline and the palette write here too, and go to Search.

import type { Chip, Has, Kind, Query, Sort } from '../api';
import { archive, labelOf } from '../state/archive.svelte';
import { rangeLabel } from '../state/dates';

export const pageSize = 30;

export const emptyQuery: Query = {
  text: '',
  sources: [],
  kinds: [],
  people: [],
  conversations: [],
  has: [],
  from: null,
  until: null,
  sort: 'best',
  mode: 'hybrid',
  rerank: 0,
  rerank_with: '',
  offset: 0,
  limit: pageSize,
};

/** Read it anywhere; change it through the functions below. */
export const question: Query = $state(structuredClone(emptyQuery));

/** Names of people and conversations that were clicked, since a query holds only their ids. */
const names: Record<string, string> = $state({});

export function setText(text: string): void {
  question.text = text;
}

/** Runs a whole query, such as an offer. */
export function ask(query: Query): void {
  // A copy: the lists of the query that came in stay as they are.
  Object.assign(question, structuredClone($state.snapshot(query)), { offset: 0, limit: pageSize });
}

export function clear(): void {
  ask(emptyQuery);
}

/** Both null takes the range away. Instants in UTC ms, `until` exclusive. */
export function setRange(from: number | null, until: number | null): void {
  question.from = from;
  question.until = until;
}

export function setSort(sort: Sort): void {
  question.sort = sort;
}

type ListField = 'sources' | 'people' | 'kinds' | 'has' | 'conversations';

/** Adds a filter, or takes it away where it is set already. */
export function toggle(field: ListField, key: string, label = key): void {
  const list: string[] = question[field];
  names[key] = label;
  if (list.includes(key)) list.splice(list.indexOf(key), 1);
  else list.push(key);
}

/** Only what was written by this person. */
export function onlyPerson(id: string, name: string): void {
  if (!question.people.includes(id)) toggle('people', id, name);
}

/** Nothing typed and nothing clicked. */
export function isEmpty(query: Query): boolean {
  const lists = [query.sources, query.kinds, query.people, query.conversations, query.has];
  return (
    query.text.trim() === '' &&
    lists.every((l) => l.length === 0) &&
    query.from === null &&
    query.until === null
  );
}

/** A filter in force, however it came about, and how to take it away. */
export type Filter = { key: string; label: string; value: string; remove: () => void };

const kindNames: Record<Kind, string> = {
  chat: 'Chats',
  ai: 'AI chats',
  note: 'Notes',
  mail: 'Mail',
  web: 'Web',
};
const hasNames: Record<Has, string> = {
  image: 'a picture',
  file: 'a file',
  link: 'a link',
  voice: 'a voice note',
};
/** Words that say what kind of filter a chip is; they stand dim before its value. */
const leading = /^(from|person|in|source|kind|has|not|before|after|on|since|until) (.+)$/;

export const nameOfKind = (kind: string): string => kindNames[kind as Kind] ?? kind;

/** "a picture", as in "has a picture". */
export const nameOfHas = (has: string): string => hasNames[has as Has] ?? has;

/** Filters from words first, then those from clicks; `chips` are those of the last answer. */
export function filters(chips: Chip[]): Filter[] {
  return [...typedFilters(chips), ...clickedFilters(chips, archive.status?.zone ?? 'UTC')];
}

function typedFilters(chips: Chip[]): Filter[] {
  const typed = chips.filter((chip) => chip.text !== '' && question.text.includes(chip.text));
  return typed.map((chip) => ({
    key: `typed ${chip.text}`,
    ...parted(chip.label),
    remove: () => setText(question.text.replace(chip.text, '').replace(/\s+/g, ' ').trim()),
  }));
}

/** "before 2023" → dim "before", value "2023"; a date or a phrase is all value. */
export function parted(label: string): { label: string; value: string } {
  const [, lead, value] = label.match(leading) ?? [];
  return lead && value ? { label: lead, value } : { label: '', value: label };
}

/** The answer names what was clicked, in the query's order; names from the click itself come sooner. */
function clickedFilters(chips: Chip[], zone: string): Filter[] {
  const range = rangeLabel(question.from, question.until, zone);
  const said = (field: string, at: number) =>
    chips.filter((c) => c.text === '' && c.field === field)[at]?.label;
  const list = (field: ListField, label: string, nameOf: (key: string, at: number) => string | undefined) =>
    question[field].map((key, at) => ({
      key: `${field} ${key}`,
      label,
      value: nameOf(key, at) ?? '…',
      remove: () => toggle(field, key, names[key]),
    }));
  return [
    ...(range ? [{ key: 'range', ...parted(range), remove: () => setRange(null, null) }] : []),
    ...list('people', 'from', (key, at) => names[key] ?? said('from', at)),
    ...list('conversations', 'in', (key, at) => names[key] ?? said('in', at)),
    ...list('sources', '', labelOf),
    ...list('kinds', '', nameOfKind),
    ...list('has', 'has', nameOfHas),
  ];
}

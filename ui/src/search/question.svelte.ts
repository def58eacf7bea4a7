// The one place where the query lives: what was typed and what was clicked. The answer to it is
// answer.svelte.ts. The timeline and the palette write here too, and go to Search.

import type { Chip, Kind, Query, Sort } from '../api';
import { archive, labelOf } from '../state/archive.svelte';
import { rangeLabel } from '../state/dates';

export const pageSize = 30;

export const emptyQuery: Query = {
  text: '',
  sources: [],
  kinds: [],
  people: [],
  conversations: [],
  from: null,
  until: null,
  sort: 'best',
  mode: 'hybrid',
  offset: 0,
  limit: pageSize,
};

/** Read it anywhere; change it through the functions below. */
export const question: Query = $state({ ...emptyQuery });

/** Names of people and conversations that were clicked, since a query holds only their ids. */
const names: Record<string, string> = $state({});

export function setText(text: string): void {
  question.text = text;
}

/** Runs a whole query, such as an offer. */
export function ask(query: Query): void {
  Object.assign(question, { ...query, offset: 0, limit: pageSize });
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

type ListField = 'sources' | 'people' | 'kinds' | 'conversations';

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
  const lists = [query.sources, query.kinds, query.people, query.conversations];
  return (
    query.text.trim() === '' &&
    lists.every((l) => l.length === 0) &&
    query.from === null &&
    query.until === null
  );
}

/** A filter in force, however it came about, and how to take it away. */
export type Filter = { key: string; label: string; value: string; remove: () => void };

const kindNames: Record<Kind, string> = { chat: 'Chats', ai: 'AI chats', note: 'Notes', mail: 'Mail' };
const fieldNames: Record<string, string> = {
  kind: '',
  date: '',
  source: '',
  phrase: 'exactly',
  not: 'without',
};

export const nameOfKind = (kind: string): string => kindNames[kind as Kind] ?? kind;

/** Filters from words first, then those from clicks; `chips` are those of the last answer. */
export function filters(chips: Chip[]): Filter[] {
  return [...typedFilters(chips), ...clickedFilters(archive.status?.zone ?? 'UTC')];
}

function typedFilters(chips: Chip[]): Filter[] {
  const typed = chips.filter((chip) => chip.text !== '' && question.text.includes(chip.text));
  return typed.map((chip) => ({
    key: `typed ${chip.text}`,
    label: fieldNames[chip.field] ?? chip.field,
    value: chip.label,
    remove: () => setText(question.text.replace(chip.text, '').replace(/\s+/g, ' ').trim()),
  }));
}

function clickedFilters(zone: string): Filter[] {
  const range = rangeLabel(question.from, question.until, zone);
  const list = (field: ListField, label: string, nameOf: (key: string) => string) =>
    question[field].map((key) => ({
      key: `${field} ${key}`,
      label,
      value: nameOf(key),
      remove: () => toggle(field, key, names[key]),
    }));
  return [
    ...(range ? [{ key: 'range', label: '', value: range, remove: () => setRange(null, null) }] : []),
    ...list('people', 'from', (key) => names[key] ?? 'one person'),
    ...list('conversations', 'in', (key) => names[key] ?? 'one conversation'),
    ...list('sources', '', labelOf),
    ...list('kinds', '', nameOfKind),
  ];
}

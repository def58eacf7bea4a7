// The answer to the question: asked as one types (not at each key), at once after a click; an answer
// that comes late is dropped; further pages are appended as one scrolls.

import * as api from '../api';
import type { Found, Hit, Query, Trouble } from '../api';
import { isEmpty, pageSize, question } from './question.svelte';

const typingMs = 140;
/** Under this a person sees no wait, so nothing is shown of it. */
const noticedMs = 150;

type Answer = {
  found: Found | null;
  /** Hits of all pages so far. */
  hits: Hit[];
  /** Waiting long enough to be seen. */
  waiting: boolean;
  trouble: Trouble | null;
  /** The query the hits belong to. */
  query: Query | null;
};

export const answer: Answer = $state({ found: null, hits: [], waiting: false, trouble: null, query: null });

let latest = 0;
let typing: ReturnType<typeof setTimeout> | undefined;
let lastText = '';
let lastAsked = '';

/** So many of the best hits are read in order, where that is switched on. */
const readInOrder = 32;

/** Whether the best hits are read once more, in the order of time, for every question. Until Evoke is closed. */
export const order: { on: boolean } = $state({ on: false });

export function setOrder(on: boolean): void {
  order.on = on;
  askAgain();
}

/** What is sent: without words there is no best, only newest. */
export function sent(query: Query): Query {
  if (isEmpty(query)) return { ...query, sort: 'newest' };
  return order.on ? { ...query, rerank: readInOrder } : query;
}

/** Asks soon where only the text changed, else now. Called by the view whenever the question changes. */
export function questionChanged(): void {
  const query = sent($state.snapshot(question));
  clearTimeout(typing);
  // Coming back from another view changes nothing.
  if (JSON.stringify(query) === lastAsked) return;
  if (query.text === lastText) return void run(query);
  lastText = query.text;
  typing = setTimeout(run, typingMs, query);
}

/** Asks the same again: something was imported or forgotten. */
export function askAgain(): void {
  void run(sent($state.snapshot(question)));
}

async function run(query: Query): Promise<void> {
  const mine = ++latest;
  lastAsked = JSON.stringify(query);
  const noticed = setTimeout(() => (answer.waiting = mine === latest), noticedMs);
  try {
    const found = await api.search(query);
    if (mine === latest) Object.assign(answer, { found, hits: found.hits, trouble: null, query });
  } catch (thrown) {
    if (mine === latest) answer.trouble = api.asTrouble(thrown);
  } finally {
    clearTimeout(noticed);
    if (mine === latest) answer.waiting = false;
  }
}

let loading = false;

/** Appends the next page, where there is one. */
export async function loadMore(): Promise<void> {
  const { found, query, hits } = answer;
  if (loading || !found || !query || hits.length >= found.messages) return;
  loading = true;
  const mine = latest;
  try {
    const page = await api.search({ ...query, offset: hits.length, limit: pageSize });
    // The archive may have changed between two pages: a message is shown once.
    const known = new Set(hits.map((hit) => hit.message.id));
    const fresh = page.hits.filter((hit) => !known.has(hit.message.id));
    if (mine === latest) answer.hits = [...hits, ...fresh];
    if (mine === latest && fresh.length === 0) found.messages = hits.length;
  } catch (thrown) {
    if (mine === latest) answer.trouble = api.asTrouble(thrown);
  } finally {
    loading = false;
  }
}

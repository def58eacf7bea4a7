// Other conversations that speak of the same: those that a search for this one's title finds first.

import * as api from '../api';
import type { Page } from '../api';
import { emptyQuery } from '../search/question.svelte';

export type Near = { id: string; title: string; source: string; message: string };

const asked = 30;
const shown = 3;

/** At most three; none where the search fails, since nobody waits for them. */
export async function relatedTo(page: Page): Promise<Near[]> {
  const text = page.title.replace(/[:"-]/g, ' ').trim();
  if (text === '') return [];
  const found = await api.search({ ...emptyQuery, text, limit: asked }).catch(() => null);
  const near = new Map<string, Near>();
  for (const { message } of found?.hits ?? []) {
    const { conversation: id, title, source, id: at } = message;
    if (id !== page.conversation && !near.has(id)) near.set(id, { id, title, source, message: at });
  }
  return [...near.values()].slice(0, shown);
}

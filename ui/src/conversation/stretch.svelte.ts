// A stretch of one conversation without gaps, growing at both ends as one scrolls. However long the
// conversation, only what was looked at is here.

import * as api from '../api';
import type { Page, Trouble } from '../api';

/** Messages asked for at each side of the first, and at each further step. */
const around = 30;
const more = 60;

export type Stretch = {
  page: Page | null;
  trouble: Trouble | null;
  /** Counts openings, so that a list knows when to go to its place anew. */
  opened: number;
  /** The last change was at the start: the list keeps its place from the end. */
  grewAtStart: boolean;
  openAt(message: string): Promise<void>;
  openAtTime(conversation: string, time: number | null): Promise<void>;
  earlier(): Promise<void>;
  later(): Promise<void>;
};

/** One for each pane. `first` is how many messages to ask for at once when opening at an instant. */
export function newStretch(first = 2 * around): Stretch {
  let asked = 0;
  let growing = false;

  async function open(ask: () => Promise<Page>): Promise<void> {
    const mine = ++asked;
    try {
      const page = await ask();
      if (mine !== asked) return;
      Object.assign(stretch, { page, trouble: null, grewAtStart: false, opened: stretch.opened + 1 });
    } catch (thrown) {
      if (mine === asked) stretch.trouble = api.asTrouble(thrown);
    }
  }

  async function grow(atStart: boolean): Promise<void> {
    const page = stretch.page;
    const edge = atStart ? page?.messages[0] : page?.messages.at(-1);
    if (growing || !page || !edge || !(atStart ? page.earlier : page.later)) return;
    growing = true;
    const mine = asked;
    try {
      const next = await api.neighbours(edge.id, atStart ? more : 0, atStart ? 0 : more);
      if (mine !== asked) return;
      stretch.grewAtStart = atStart;
      stretch.page = atStart ? joined(next, page) : joined(page, next);
    } catch (thrown) {
      if (mine === asked) stretch.trouble = api.asTrouble(thrown);
    } finally {
      growing = false;
    }
  }

  const stretch: Stretch = $state({
    page: null,
    trouble: null,
    opened: 0,
    grewAtStart: false,
    openAt: (message) => open(() => api.neighbours(message, first / 2, first / 2)),
    openAtTime: (conversation, time) => open(() => api.conversation(conversation, time, first)),
    earlier: () => grow(true),
    later: () => grow(false),
  });
  return stretch;
}

/** Two pages that touch or overlap, as one. */
export function joined(first: Page, second: Page): Page {
  const known = new Set(first.messages.map((message) => message.id));
  const added = second.messages.filter((message) => !known.has(message.id));
  return { ...second, messages: [...first.messages, ...added], earlier: first.earlier, later: second.later };
}

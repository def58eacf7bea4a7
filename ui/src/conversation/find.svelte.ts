// Finding words in one conversation, however long: the memory names the messages, the places in
// them are counted here. `n` and `N` go from place to place.

import * as api from '../api';
import type { Shown } from '../api';
import { places } from '../parts/segments';
import { emptyQuery } from '../search/question.svelte';

const typingMs = 160;
/** Messages asked for; beyond that the count ends in "+". */
const most = 500;

export type Match = { message: string; nth: number };

type Find = {
  open: boolean;
  text: string;
  matches: Match[];
  /** Index of the current match. */
  at: number;
  /** Grows with each jump, so that the same match can be gone to again. */
  jump: number;
  /** There are more than could be asked for. */
  cut: boolean;
};

export const find: Find = $state({ open: false, text: '', matches: [], at: 0, jump: 0, cut: false });

let asked = 0;
let typing: ReturnType<typeof setTimeout> | undefined;

/** What was typed, and where no message holds it whole, nothing: find is to the letter. */
export function wordsToMark(): string[] {
  return find.open && find.text.trim().length > 1 ? [find.text.trim()] : [];
}

export function close(): void {
  Object.assign(find, { open: false, text: '', matches: [], at: 0 });
}

/** Looks for `text` in a conversation, soon. `near` is the instant (UTC ms) the person looks at. */
export function look(text: string, conversation: string, near: number): void {
  find.text = text;
  clearTimeout(typing);
  typing = setTimeout(run, typingMs, text.trim(), conversation, near);
}

async function run(text: string, conversation: string, near: number): Promise<void> {
  const mine = ++asked;
  if (text.length < 2) return void Object.assign(find, { matches: [], at: 0 });
  const query = { ...emptyQuery, text, conversations: [conversation], limit: most };
  const found = await api.search({ ...query, sort: 'oldest', mode: 'words' }).catch(() => null);
  if (mine !== asked || !found) return;
  const messages = found.hits.map((hit) => hit.message).sort((a, b) => a.time - b.time);
  find.matches = messages.filter(isRead).flatMap((m) => matchesIn(m, text));
  find.cut = found.messages > most;
  const byId = new Map(messages.map((m) => [m.id, m.time]));
  go(
    Math.max(
      0,
      find.matches.findIndex((match) => (byId.get(match.message) ?? 0) >= near),
    ),
  );
}

/** What an assistant did on the way is folded: its words cannot be seen, so they are no matches. */
function isRead(message: Shown): boolean {
  return message.part !== 'tool' && message.part !== 'thinking';
}

export function matchesIn(message: Shown, text: string): Match[] {
  return places(message.text, [text]).map((_, nth) => ({ message: message.id, nth }));
}

/** Goes to a match; the first follows the last. */
export function go(at: number): void {
  const count = find.matches.length;
  if (count === 0) return;
  find.at = (at + count) % count;
  find.jump += 1;
}

/** Matches by message, for the outline. */
export function countIn(messages: ReadonlySet<string>): number {
  return find.matches.filter((match) => messages.has(match.message)).length;
}

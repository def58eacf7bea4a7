// Consecutive hits of one conversation stand under the best of them: "+6 in this conversation".

import type { Hit } from '../api';

export type HitRow = { type: 'hit'; key: string; hit: Hit };
export type FoldRow = { type: 'fold'; key: string; of: string; count: number; open: boolean };
export type Row = HitRow | FoldRow;

/** Rows to show. `unfolded` holds the ids of those first hits whose companions are shown. */
export function foldedRows(hits: Hit[], unfolded: ReadonlySet<string>): Row[] {
  return runs(hits).flatMap((run) => {
    const [first, ...others] = run.map((hit): HitRow => ({ type: 'hit', key: hit.message.id, hit }));
    if (!first) return [];
    if (others.length === 0) return [first];
    const open = unfolded.has(first.key);
    const fold: FoldRow = {
      type: 'fold',
      key: `fold ${first.key}`,
      of: first.key,
      count: others.length,
      open,
    };
    return open ? [first, fold, ...others] : [first, fold];
  });
}

function runs(hits: Hit[]): Hit[][] {
  const found: Hit[][] = [];
  for (const hit of hits) {
    const run = found.at(-1);
    if (run?.[0]?.message.conversation === hit.message.conversation) run.push(hit);
    else found.push([hit]);
  }
  return found;
}

/** Conversations in the order their first hits stand. */
export function conversationsOf(hits: Hit[]): string[] {
  return [...new Set(hits.map((hit) => hit.message.conversation))];
}

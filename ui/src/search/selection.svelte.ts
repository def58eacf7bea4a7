// Which row of the results is chosen, what is unfolded, and where the list stood, so that coming
// back from a conversation finds everything as it was.

import type { VirtualizerHandle } from 'virtua/svelte';
import { answer } from './answer.svelte';
import { foldedRows, type Row } from './fold';
import type { Hit } from '../api';

type Selection = {
  key: string;
  unfolded: string[];
  /** Where the list was scrolled to, px. */
  scroll: number;
  /** Narrow windows: the preview lies over the results. */
  peeking: boolean;
};

/** The measured heights of the rows, in virtua's own form, for coming back to the same place. */
type Measured = { heights: ReturnType<VirtualizerHandle['getCache']> | undefined; rows: number };
export const measured: Measured = { heights: undefined, rows: 0 };

export const selection: Selection = $state({ key: '', unfolded: [], scroll: 0, peeking: false });

export function rows(): Row[] {
  return foldedRows(answer.hits, new Set(selection.unfolded));
}

export function chosenRow(all: Row[]): Row | undefined {
  return all.find((row) => row.key === selection.key);
}

/** The hit to preview: the chosen one, or the first of a chosen fold. */
export function chosenHit(): Hit | null {
  const row = chosenRow(rows());
  if (row?.type === 'hit') return row.hit;
  return answer.hits.find((hit) => hit.message.id === row?.of) ?? null;
}

/** Moves by rows; from nothing to the first. */
export function move(by: number): void {
  const all = rows();
  const at = all.findIndex((row) => row.key === selection.key);
  const next = at < 0 ? 0 : Math.min(Math.max(at + by, 0), all.length - 1);
  selection.key = all[next]?.key ?? '';
}

/** Shows or hides the companions of a hit. The row may be the fold or any hit of the run. */
export function setFold(open: boolean): void {
  const all = rows();
  const at = all.findIndex((row) => row.key === selection.key);
  const fold = foldOf(all, at);
  if (!fold || fold.open === open) return;
  selection.unfolded = open
    ? [...selection.unfolded, fold.of]
    : selection.unfolded.filter((id) => id !== fold.of);
  if (!open && selection.key !== fold.key) selection.key = fold.of;
}

function foldOf(all: Row[], at: number) {
  const near = [all[at], all[at + 1]].find((row) => row?.type === 'fold');
  if (near?.type === 'fold') return near;
  const row = all[at];
  const above = all.slice(0, Math.max(at, 0)).findLast((r) => r.type === 'fold');
  if (row?.type !== 'hit' || above?.type !== 'fold') return undefined;
  const first = all.find((r) => r.key === above.of);
  const same = first?.type === 'hit' && first.hit.message.conversation === row.hit.message.conversation;
  return same ? above : undefined;
}

/** After a new answer: keeps the row where it is still found, else chooses the first. */
export function settle(chooseFirst: boolean): void {
  const all = rows();
  if (chosenRow(all)) return;
  Object.assign(selection, {
    key: chooseFirst ? (all[0]?.key ?? '') : '',
    unfolded: [],
    scroll: 0,
    peeking: false,
  });
}

// Messages of a conversation → rows to draw: day separators, bubbles in runs of one sender, answers
// of an assistant in full width, and what it did on the way folded into one list.

import type { ConversationKind, Shown } from '../api';
import { dayKey } from '../state/dates';

export type Row =
  | { type: 'day'; key: string; time: number }
  | { type: 'service'; key: string; message: Shown }
  /** Tool calls and thoughts between two texts. */
  | { type: 'work'; key: string; steps: Shown[]; head: boolean }
  /** `head` begins a run and carries the name; `tail` ends one and may carry the time. */
  | { type: 'bubble' | 'answer' | 'note'; key: string; message: Shown; head: boolean; tail: boolean };

/** A silence that ends a run, ms. */
const pause = 30 * 60_000;

const folded = new Set(['tool', 'thinking']);
const quiet = new Set(['service', 'call', 'deleted']);

export function conversationRows(messages: Shown[], kind: ConversationKind, zone: string): Row[] {
  const rows: Row[] = [];
  let before: Shown | undefined;
  for (const [at, message] of messages.entries()) {
    const newDay = !before || dayKey(before.time, zone) !== dayKey(message.time, zone);
    if (newDay && kind !== 'note') rows.push({ type: 'day', key: `day ${message.id}`, time: message.time });
    const head = newDay || !before || !sameRun(before, message);
    const after = messages[at + 1];
    const tail =
      !after || !sameRun(message, after) || dayKey(after.time, zone) !== dayKey(message.time, zone);
    push(rows, message, kind, head, tail);
    before = message;
  }
  return rows;
}

function push(rows: Row[], message: Shown, kind: ConversationKind, head: boolean, tail: boolean): void {
  const last = rows.at(-1);
  const key = message.id;
  if (folded.has(message.part)) {
    if (last?.type === 'work') last.steps.push(message);
    else rows.push({ type: 'work', key, steps: [message], head });
  } else if (quiet.has(message.part)) {
    rows.push({ type: 'service', key, message });
  } else {
    rows.push({ type: lookOf(message, kind), key, message, head, tail });
  }
}

function lookOf(message: Shown, kind: ConversationKind): 'bubble' | 'answer' | 'note' {
  if (kind === 'note') return 'note';
  return kind === 'ai' && message.role !== 'human' ? 'answer' : 'bubble';
}

/** One sender without a long silence; an assistant's tools belong to its answer. */
function sameRun(a: Shown, b: Shown): boolean {
  if (quiet.has(a.part) || quiet.has(b.part)) return false;
  const bothAnswer = a.role !== 'human' && b.role !== 'human';
  return (
    (bothAnswer || (a.person === b.person && a.mine === b.mine && a.role === b.role)) &&
    b.time - a.time < pause
  );
}

/** The row that holds a message, or -1. */
export function rowOf(rows: Row[], message: string): number {
  return rows.findIndex((row) =>
    row.type === 'work' ? row.steps.some((s) => s.id === message) : row.key === message,
  );
}

/** Instant of a row, for the day that floats above. */
export function timeOf(row: Row | undefined): number | null {
  if (!row) return null;
  if (row.type === 'day') return row.time;
  return row.type === 'work' ? (row.steps[0]?.time ?? null) : row.message.time;
}

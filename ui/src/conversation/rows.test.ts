import { expect, it } from 'vitest';
import type { ConversationKind, Shown } from '../api';
import { conversationRows, rowOf } from './rows';

const start = Date.UTC(2024, 3, 12, 10);

/** Minutes after ten, who (capital: me), and what: `5a` a text of a, `6b:tool` a tool call of b. */
function messages(written: string): Shown[] {
  return written.split(' ').map((id) => {
    const [, minutes = '0', who = 'a', part = 'text'] = id.match(/^(\d+)(\w)(?::(\w+))?$/) ?? [];
    const mine = who === who.toUpperCase();
    const role = who === 'z' ? 'assistant' : 'human';
    return { id, person: who, mine, role, part, time: start + Number(minutes) * 60_000 } as Shown;
  });
}

function check(written: string, kind: ConversationKind, expected: string): void {
  const rows = conversationRows(messages(written), kind, 'UTC').map((row) => {
    if (row.type === 'day') return '|';
    if (row.type === 'service') return 's';
    if (row.type === 'work') return `${row.head ? '<' : ''}work${row.steps.length}`;
    return `${row.head ? '<' : ''}${row.type}${row.tail ? '>' : ''}`;
  });
  expect(rows.join(' ')).toBe(expected);
}

it.each<[string, string, ConversationKind, string]>([
  ['one message', '0a', 'direct', '| <bubble>'],
  ['a run', '0a 1a 2a', 'direct', '| <bubble bubble bubble>'],
  ['two people', '0a 1B', 'direct', '| <bubble> <bubble>'],
  ['a long silence ends a run', '0a 45a', 'direct', '| <bubble> <bubble>'],
  ['midnight ends a run', '839a 841a', 'direct', '| <bubble> | <bubble>'],
  ['a service line stands apart', '0a 1a:service 2a', 'group', '| <bubble> s <bubble>'],
  ['an assistant answers in full width', '0A 1z', 'ai', '| <bubble> <answer>'],
  ['tools belong to the answer', '0A 1z:thinking 1z:tool 2z', 'ai', '| <bubble> <work2 answer>'],
  ['a note has no day', '0A', 'note', '<note>'],
])('%s', (_, written, kind, expected) => check(written, kind, expected));

it('finds a message in a folded list too', () => {
  const rows = conversationRows(messages('0A 1z:tool 2z:tool 3z'), 'ai', 'UTC');
  expect(rowOf(rows, '2z:tool')).toBe(rowOf(rows, '1z:tool'));
  expect(rowOf(rows, '3z')).toBe(3);
  expect(rowOf(rows, 'gone')).toBe(-1);
});

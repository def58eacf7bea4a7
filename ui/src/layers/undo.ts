// What undoing an import does, before it is done. Pure.

import type { Forgotten } from '../api';
import { dateSpan } from '../state/dates';
import { counted } from '../state/words';

/** Which messages go, and of what nothing is left then. */
export function undoWords({ messages, conversations, people, first, last }: Forgotten, zone: string): string {
  if (messages === 0) return 'No message goes: other imports have them all, or it brought none.';
  const when = first !== null && last !== null ? ` of ${dateSpan(first, last, zone)}` : '';
  const gone = [
    conversations ? counted(conversations, 'conversation') : '',
    people ? counted(people, 'person', 'people') : '',
  ].filter(Boolean);
  const with_ =
    gone.length > 0
      ? `, and with ${messages === 1 ? 'it' : 'them'} all there is of ${gone.join(' and ')}`
      : '';
  const go = messages === 1 ? 'goes' : 'go';
  return `${counted(messages, 'message')}${when} that only this import brought ${go}${with_}.`;
}

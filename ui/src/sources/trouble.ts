// What to call a trouble and what can be done about it, chosen by its kind. The sentence itself comes
// from the memory. Pure.

import type { Job, Trouble } from '../api';
import { counted } from '../state/words';

const titles: Record<string, string> = {
  unknown_format: 'Evoke does not know this kind of file',
  not_found: 'This file is not there any more',
  busy: 'Another Evoke is writing',
  locked: 'The archive is locked',
  wrong_key: 'This key does not open the archive',
  cut_off: 'This file ends too early',
};

export function titleOf({ kind }: Trouble): string {
  return titles[kind] ?? 'This import stopped early';
}

/** Only what is known not to be lost: what the receipt says was saved. */
export function notLost({ receipt }: Pick<Job, 'receipt'>): string {
  const saved = receipt ? receipt.added + receipt.updated : 0;
  if (saved === 0) return 'Everything that was in Evoke before is untouched.';
  const were = saved === 1 ? 'was read and is saved' : 'were read and are saved';
  return `${counted(saved, 'message')} ${were}. Everything else in Evoke is untouched.`;
}

/** Whether trying the same again may end differently. */
export function canRetry({ kind }: Trouble): boolean {
  return !['unknown_format', 'wrong_key', 'locked'].includes(kind);
}

// The books of the archive beside the list of sources: every import, what was not asked yet, folders
// that are kept up to date, copies, and what was found on this computer. Asked for again (`reload`)
// whenever messages came or went, and after every change made here.

import * as api from '../api';
import type { Discovered, Duplicate, Receipt, Trouble, WatchedRow, WhoIsMe } from '../api';

type Ledger = {
  /** Newest first. */
  receipts: Receipt[];
  questions: WhoIsMe[];
  watched: WatchedRow[];
  copies: Duplicate[];
  /** Null until this computer was looked through. */
  found: Discovered[] | null;
  trouble: Trouble | null;
};

export const ledger: Ledger = $state({
  receipts: [],
  questions: [],
  watched: [],
  copies: [],
  found: null,
  trouble: null,
});

export async function reload(): Promise<void> {
  try {
    const [receipts, questions, watched, copies] = await Promise.all([
      api.receipts(),
      api.whoIsMe(),
      api.watched(),
      api.duplicates(),
    ]);
    receipts.sort((a, b) => b.import - a.import);
    Object.assign(ledger, { receipts, questions, watched, copies, trouble: null });
  } catch (thrown) {
    ledger.trouble = api.asTrouble(thrown);
  }
}

/** Looks through names, sizes and dates on this computer, once until asked `again`. No file is opened. */
export async function lookAround(again = false): Promise<void> {
  if (ledger.found !== null && !again) return;
  // Without the list the other ways in stay: its failure is no trouble of theirs.
  ledger.found = await api.discover().catch(() => []);
}

/** The import as the archive knows it now; a job keeps the receipt that it ended with. */
export function receiptNow(receipt: Receipt): Receipt {
  return ledger.receipts.find((one) => one.import === receipt.import && one.import > 0) ?? receipt;
}

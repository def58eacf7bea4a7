// Where the person stands in time: what is in view, the open day, the year on the sheet, one source or
// all. Kept while they visit other views. The palette may call `openDay`.

import { archive } from '../state/archive.svelte';
import { dayKey } from '../state/dates';
import { isDate } from './calendar';
import { boundsOf, type View } from './viewport';

type Place = {
  /** Null until the archive's bounds are known, or where all of it is in view. */
  view: View | null;
  /** `2024-04-12`; empty until the archive is known. */
  day: string;
  /** The year of the sheet; 0 until the archive is known. */
  year: number;
  /** One source alone, by key. */
  only: string | null;
  /** Counts of everything, or of the hits of the query in force. */
  scope: 'all' | 'search';
};

export const place: Place = $state({ view: null, day: '', year: 0, only: null, scope: 'all' });

export function zone(): string {
  return archive.status?.zone ?? 'UTC';
}

/** Whole months around all that is remembered; null while nothing is. */
export function bounds(): View | null {
  const known = archive.status?.archive;
  return known?.first != null && known.last != null ? boundsOf(known.first, known.last, zone()) : null;
}

/** Opens a local day, and its year on the sheet. What is no date is left alone. */
export function openDay(date: string): void {
  if (!isDate(date)) return;
  place.day = date;
  place.year = Number(date.slice(0, 4));
}

/** On the first visit: the last day that holds a message. */
export function arrive(): void {
  const last = archive.status?.archive.last;
  if (place.day === '' && last != null) openDay(dayKey(last, zone()));
}

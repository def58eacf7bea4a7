// What was found on this computer, in words. Pure.

import type { Discovered, WatchedRow } from '../api';
import { bytesWords } from '../settings/facts';
import { shortDate } from '../state/dates';
import { counted, grouped } from '../state/words';

/** "412 files, 6.2 MB"; "more than" where they were too many to count. */
export function sizeWords({ files, bytes, more }: Discovered): string {
  const size = bytesWords(bytes);
  if (more) return `more than ${grouped(files)} files, ${size}`;
  return files > 1 ? `${counted(files, 'file')}, ${size}` : size;
}

/** "changed 3 May 2019 – 2 Nov 2026"; one date where both are the same. */
export function changedWords({ first, last }: Discovered, zone: string): string {
  if (first === null || last === null) return '';
  const [from, to] = [shortDate(first, zone), shortDate(last, zone)];
  return from === to ? `changed ${to}` : `changed ${from} – ${to}`;
}

/** "imported 3 May 2026", and whether it was changed since; empty where it was never imported. */
export function importedWords({ imported, last }: Discovered, zone: string): string {
  if (imported === null) return '';
  const since = last !== null && last > imported ? ' · changed since' : '';
  return `imported ${shortDate(imported, zone)}${since}`;
}

/** The path as people name it: without their home folder, which two thirds of all paths begin with. */
export function placeWords(path: string): string {
  return path.replace(/^(\/home\/[^/]+|\/Users\/[^/]+|[A-Z]:\\Users\\[^\\]+)(?=[/\\]|$)/, '~');
}

/** Whether a folder, or one around it, is kept up to date already. */
export function isWatched(path: string, watched: WatchedRow[]): boolean {
  return watched.some(
    (row) => path === row.path || path.startsWith(`${row.path}/`) || path.startsWith(`${row.path}\\`),
  );
}

// Figures of the archive in words. Pure.

import type { Coverage, Index } from '../api';
import { counted, grouped } from '../state/words';

/** 1932735283 → "1.8 GB"; units of 1024. */
export function bytesWords(bytes: number): string {
  const units = ['bytes', 'KB', 'MB', 'GB', 'TB'];
  const power = bytes < 1024 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), units.length - 1);
  const size = bytes / 1024 ** power;
  const rounded = size < 10 && power > 0 ? Math.round(size * 10) / 10 : Math.round(size);
  return `${grouped(rounded)} ${units[power]}`;
}

/** "790,120 of 802,123 passages, 12,000 waiting, 3 failed". What holds nothing to embed is not counted. */
export function coverageWords({ passages, embedded, waiting, failed, excluded }: Coverage): string {
  const wanted = passages - excluded;
  const parts = [`${grouped(embedded)} of ${counted(wanted, 'passage')}`];
  if (waiting > 0) parts.push(`${grouped(waiting)} waiting`);
  if (failed > 0) parts.push(`${grouped(failed)} failed`);
  return parts.join(', ');
}

/** Whole percent, never 100 while anything waits. */
export function percentWords({ percent, coverage }: Index): string {
  const whole = Math.floor(percent);
  return `${whole === 100 && coverage.waiting > 0 ? 99 : whole} %`;
}

/** How the index looks for neighbours, for a person. */
export function vectorsWords(vectors: string): string {
  return vectors === 'exact' ? 'every passage is compared' : `approximate, ${vectors}`;
}

const protections: Record<string, string> = {
  keychain: 'The keychain of this computer',
  passphrase: 'A passphrase',
  key_file: 'A key file',
};

export function protectionWords(kind: string): string {
  return protections[kind] ?? kind;
}

/** What reading hits in order is, and what it cost the last search, in milliseconds. */
export function orderWords(on: boolean, ms: number | null): string {
  const what = 'The 32 best hits are read once more, in order of time. Questions of order always are.';
  return on && ms !== null ? `${what} The last search took ${grouped(ms)} ms for it.` : what;
}

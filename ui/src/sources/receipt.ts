// A receipt as an equation, seen = added + updated + duplicate + skipped + failed, with a sentence
// for each number and the reasons for what was not kept. Pure; drawing is ReceiptLine.

import type { DryRun, Reason, Receipt } from '../api';
import { clock, dayKey, shortDate } from '../state/dates';
import { counted, grouped } from '../state/words';
import { tookWords } from './pace';

export type TermKey = 'seen' | 'added' | 'updated' | 'duplicate' | 'skipped' | 'failed';
export type Term = { key: TermKey; count: number; sign: '' | '=' | '+' };

const keys: TermKey[] = ['seen', 'added', 'updated', 'duplicate', 'skipped', 'failed'];

export function termsOf(receipt: Receipt): Term[] {
  return keys.map((key, at) => ({ key, count: receipt[key], sign: at === 0 ? '' : at === 1 ? '=' : '+' }));
}

/** What a number means, for the list it opens. */
export function meaningOf(key: TermKey, receipt: Receipt, zone: string): string {
  const count = receipt[key];
  const records = counted(count, 'record');
  const messages = counted(count, 'message');
  switch (key) {
    case 'seen':
      return `${records} read from ${namesOf(receipt)}, in ${counted(receipt.conversations, 'conversation')}${spanOf(receipt, zone)}.`;
    case 'added':
      return `${messages} that Evoke did not have before.`;
    case 'updated':
      return `${messages} that Evoke had, and that have changed since. The newer form was kept.`;
    case 'duplicate':
      return `${messages} that Evoke had already. Nothing is kept twice.`;
    case 'skipped':
      return count === 0 ? 'Nothing was skipped.' : `${records} read and left out on purpose.`;
    case 'failed':
      return count === 0 ? 'Nothing failed.' : `${records} that could not be read. Nothing else was lost.`;
  }
}

/** "98 service notices, 6 with nothing in them" */
export function reasonsLine(reasons: Reason[]): string {
  return reasons.map((r) => `${grouped(r.count)} ${r.reason}`).join(', ');
}

/** "result.json and 2 more" */
export function namesOf({ names }: { names: string[] }): string {
  const [first, ...others] = names;
  if (!first) return 'the export';
  return others.length === 0 ? first : `${first} and ${grouped(others.length)} more`;
}

/** "WhatsApp", or "WhatsApp and 5 more" where an export held several formats. */
export function formatsOf(formats: string[], labelOf: (source: string) => string): string {
  return namesOf({ names: formats.map(labelOf) });
}

function spanOf({ first, last }: Receipt, zone: string): string {
  if (first === null || last === null) return '';
  return `, from ${shortDate(first, zone)} to ${shortDate(last, zone)}`;
}

/** "Mar 2016 – today", "Mar 2016 – Aug 2019"; empty where there is no message. */
export function monthsOf(first: number | null, last: number | null, now: number, zone: string): string {
  if (first === null || last === null) return '';
  const month = new Intl.DateTimeFormat(undefined, { month: 'short', year: 'numeric', timeZone: zone });
  return `${month.format(first)} – ${untilWords(last, now, zone)}`;
}

/** "today", "2 Nov" this year, "Aug 2019" before it. */
export function untilWords(last: number, now: number, zone: string): string {
  if (dayKey(last, zone) === dayKey(now, zone)) return 'today';
  const thisYear = dayKey(last, zone).slice(0, 4) === dayKey(now, zone).slice(0, 4);
  const options = thisYear
    ? ({ day: 'numeric', month: 'short' } as const)
    : ({ month: 'short', year: 'numeric' } as const);
  return new Intl.DateTimeFormat(undefined, { ...options, timeZone: zone }).format(last);
}

/** "result.json, finished today at 14:02 in 3 min 10 s" */
export function finishedLine(receipt: Receipt, now: number, zone: string): string {
  const end = receipt.started + receipt.took_ms;
  const today = dayKey(end, zone) === dayKey(now, zone);
  const when = today ? `today at ${clock(end, zone)}` : shortDate(end, zone);
  const what = receipt.stopped ? 'stopped' : 'finished';
  return `${namesOf(receipt)}, ${what} ${when} in ${tookWords(receipt.took_ms)}`;
}

/** "41,688 messages, 458 of them new. Nothing is saved yet." */
export function dryLine({ receipt }: DryRun): string {
  const messages = receipt.added + receipt.updated + receipt.duplicate;
  const left = receipt.skipped + receipt.failed;
  const fresh = receipt.added === messages ? 'all of them new' : `${grouped(receipt.added)} of them new`;
  const changed = receipt.updated > 0 ? `, ${grouped(receipt.updated)} changed` : '';
  const out = left > 0 ? ` ${counted(left, 'record')} would be left out.` : '';
  return `${counted(messages, 'message')}, ${fresh}${changed}.${out} Nothing is saved yet.`;
}

/** Messages that an import would write. */
export function toWrite({ receipt }: DryRun): number {
  return receipt.added + receipt.updated;
}

/** The report a person may pass on: figures and kinds of reasons, no names, no text. */
export function reportOf(kind: string, version: string, receipt: Receipt | null): string {
  const lines = [`kind        ${kind}`, `version     ${version}`];
  if (receipt) {
    lines.push(`formats     ${receipt.formats.join(' ') || 'none'}`);
    for (const { key, count } of termsOf(receipt)) lines.push(`${key.padEnd(12)}${count}`);
  }
  return [...lines, 'this report holds no text of yours'].join('\n');
}

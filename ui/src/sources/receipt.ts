// A receipt as an equation, seen = added + updated + known + skipped + failed, with a sentence for each
// number and the reasons for what was not kept. Pure; drawing is ReceiptLine.

import type { DryRun, Reason, Receipt } from '../api';
import { clock, dayKey, shortDate } from '../state/dates';
import { counted, grouped } from '../state/words';
import { tookWords } from './pace';

export type TermKey = 'seen' | 'added' | 'updated' | 'duplicate' | 'skipped' | 'failed';
export type Term = { key: TermKey; name: string; count: number; sign: '' | '=' | '+' };

const keys: TermKey[] = ['seen', 'added', 'updated', 'duplicate', 'skipped', 'failed'];
/** What an import did, and what it would do. */
const names: Record<TermKey, { done: string; dry: string }> = {
  seen: { done: 'seen', dry: 'seen' },
  added: { done: 'added', dry: 'new' },
  updated: { done: 'updated', dry: 'changed' },
  duplicate: { done: 'known', dry: 'known' },
  skipped: { done: 'skipped', dry: 'to skip' },
  failed: { done: 'failed', dry: 'unreadable' },
};

/** Imports are counted from 1: none is what a dry run has. */
export function isDry({ import: number }: Receipt): boolean {
  return number === 0;
}

export function termsOf(receipt: Receipt): Term[] {
  return keys.map((key, at) => ({
    key,
    name: names[key][isDry(receipt) ? 'dry' : 'done'],
    count: receipt[key],
    sign: at === 0 ? '' : at === 1 ? '=' : '+',
  }));
}

/** What a number means, for the list it opens. */
export function meaningOf(key: TermKey, receipt: Receipt, zone: string): string {
  const count = receipt[key];
  const records = counted(count, 'record');
  const messages = counted(count, 'message');
  const dry = isDry(receipt);
  switch (key) {
    case 'seen':
      return `${records} read from ${namesOf(receipt)}, in ${counted(receipt.conversations, 'conversation')}${spanOf(receipt, zone)}.`;
    case 'added':
      return `${messages} that Evoke ${dry ? 'does not have yet' : 'did not have before'}.`;
    case 'updated':
      return dry
        ? `${messages} that Evoke has, and that have changed since. The newer form would be kept.`
        : `${messages} that Evoke had, and that have changed since. The newer form was kept.`;
    case 'duplicate':
      return `${messages} that Evoke ${dry ? 'has' : 'had'} already. Nothing is kept twice.`;
    case 'skipped':
      if (count === 0) return dry ? 'Nothing would be skipped.' : 'Nothing was skipped.';
      return dry
        ? `${records} that would be left out on purpose.`
        : `${records} read and left out on purpose.`;
    case 'failed':
      if (count === 0) return dry ? 'All of it can be read.' : 'Nothing failed.';
      return dry
        ? `${records} that cannot be read. Nothing else would be lost.`
        : `${records} that could not be read. Nothing else was lost.`;
  }
}

/** "98 × service notice, 6 × message without text" */
export function reasonsLine(reasons: Reason[]): string {
  return reasons.map((r) => `${grouped(r.count)} × ${r.reason}`).join(', ');
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
  const [from, until] = [month.format(first), untilWords(last, now, zone)];
  return from === until ? from : `${from} – ${until}`;
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

/** "Nothing is saved yet. 41,688 messages, 458 of them new." */
export function dryLine({ receipt }: DryRun): string {
  const messages = receipt.added + receipt.updated + receipt.duplicate;
  const some = receipt.added === 0 ? 'none of them new' : `${grouped(receipt.added)} of them new`;
  const fresh = receipt.added === messages && messages > 0 ? 'all of them new' : some;
  const changed = receipt.updated > 0 ? `, ${grouped(receipt.updated)} changed` : '';
  return `Nothing is saved yet. ${counted(messages, 'message')}${messages > 0 ? `, ${fresh}${changed}` : ''}.`;
}

/** "Ana, Basti, Haruka and 12 more"; empty where there are none. */
export function listWords(all: string[], most: number, of = all.length): string {
  if (all.length === 0) return '';
  const shown = all.slice(0, most);
  const rest = Math.max(of, all.length) - shown.length;
  return rest > 0 ? `${shown.join(', ')} and ${grouped(rest)} more` : shown.join(', ');
}

export type Fact = { name: string; value: string; /** Names of people and talks. */ secret: boolean };

/** What a dry run found, a line each: of which kind, in which conversations, with whom, from when to when. */
export function factsOf(
  { receipt, people, titles }: DryRun,
  labelOf: (source: string) => string,
  zone: string,
) {
  const { formats, conversations, first, last } = receipt;
  const span = first === null || last === null ? '' : `${shortDate(first, zone)} – ${shortDate(last, zone)}`;
  const facts: Fact[] = [
    {
      name: formats.length > 1 ? 'Formats' : 'Format',
      value: listWords(formats.map(labelOf), 6),
      secret: false,
    },
    {
      name: counted(conversations, 'conversation'),
      value: listWords(titles, 3, conversations),
      secret: true,
    },
    { name: counted(people.length, 'person', 'people'), value: listWords(people, 4), secret: true },
    { name: 'From – to', value: span, secret: false },
  ];
  return facts.filter(({ value }) => value !== '');
}

/** "12 added, 3 updated, 40 known"; what there is none of is left out. */
export function countsLine(receipt: Receipt): string {
  const parts = termsOf(receipt).filter(({ key, count }) => key !== 'seen' && count > 0);
  return parts.map(({ count, name }) => `${grouped(count)} ${name}`).join(', ') || 'nothing in it';
}

/** One page of a long list, and where it stands: "51–100 of 104". */
export function pageOf<Item>(
  all: Item[],
  page: number,
  size: number,
): { items: Item[]; words: string; last: number } {
  const last = Math.max(0, Math.ceil(all.length / size) - 1);
  const from = Math.min(page, last) * size;
  const items = all.slice(from, from + size);
  const words =
    all.length <= size
      ? grouped(all.length)
      : `${grouped(from + 1)}–${grouped(from + items.length)} of ${grouped(all.length)}`;
  return { items, words, last };
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

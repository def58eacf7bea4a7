// Everything the interface can ask of the memory, typed. One function a call; each rejects with a
// `Trouble`. Types come from Rust (types.ts, generated). What leaves this folder knows no Tauri.

import { call } from './door';
import type * as wire from './types';

export { asTrouble, inWindow } from './door';
export { copyText, onFileDrop, pickFiles, pickFolder, type FileDrop } from './files';
export type * from './types';

type Value<R extends wire.Reply['reply']> = Extract<wire.Reply, { reply: R; value: unknown }>['value'];

/** Sends a call whose answer must be of one kind, and unwraps it. */
async function ask<R extends wire.Reply['reply']>(reply: R, what: wire.Call): Promise<Value<R>> {
  const answer = await call(what);
  if (answer.reply !== reply || !('value' in answer)) throw unexpected(what.call, answer.reply);
  return answer.value as Value<R>;
}

function unexpected(asked: string, got: string): wire.Trouble {
  return {
    kind: 'other',
    message: `The memory answered “${asked}” with “${got}”. Nothing was lost. Restart Evoke.`,
  };
}

export const status = () => ask('status', { call: 'status' });
export const search = (query: wire.Query) => ask('found', { call: 'search', query });

/** A message with `before` and `after` more of its conversation around it. */
export const neighbours = (message: string, before: number, after: number) =>
  ask('page', { call: 'neighbours', message, before, after });

/** Messages around an instant (UTC ms), or the end of the conversation where `at` is null. */
export const conversation = (conversation: string, at: number | null, limit: number) =>
  ask('page', { call: 'conversation', conversation, at, limit });

/** Counts over the whole archive (`query` null), or over one query's hits. Instants in UTC ms. */
export const timeline = (
  query: wire.Query | null,
  unit: wire.Unit,
  from: number | null,
  until: number | null,
) => ask('timeline', { call: 'timeline', query, unit, from, until });

/** One local day, `2024-04-12`; all sources where none is named. */
export const day = (date: string, sources: string[]) => ask('day', { call: 'day', date, sources });

export const sources = () => ask('sources', { call: 'sources' });
export const people = () => ask('people', { call: 'people' });
export const conversations = (source: string | null) =>
  ask('conversations', { call: 'conversations', source });

/** What an import of these paths would do. Nothing is saved. */
export const dryRun = (paths: string[], zone: string | null) =>
  ask('dry_run', { call: 'dry_run', paths, zone });

/** Starts an import; `again` brings back what was forgotten. */
export const importPaths = (paths: string[], zone: string | null, again: boolean) =>
  ask('job', { call: 'import', paths, zone, again, me: null });

export const sample = () => ask('job', { call: 'sample' });
export const jobs = () => ask('jobs', { call: 'jobs' });
export const receipts = () => ask('receipts', { call: 'receipts' });

/** What forgetting would remove. Nothing is removed. */
export const previewForget = (target: wire.Target) => ask('forgotten', { call: 'preview_forget', target });

/** Removes for good. */
export const forget = (target: wire.Target) => ask('forgotten', { call: 'forget', target });

// These four answer with the work's new state or a bare "done"; callers ask for state again.
export const setMe = (people: string[]) => call({ call: 'set_me', people });
export const pause = (job: number) => call({ call: 'pause', job });
export const resume = (job: number) => call({ call: 'resume', job });
/** Stops a job and keeps what is saved. */
export const stop = (job: number) => call({ call: 'stop', job });
/** Opens a Home that a passphrase protects. */
export const unlock = (passphrase: string) => call({ call: 'unlock', passphrase });

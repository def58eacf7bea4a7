// Everything the interface can ask of the memory, typed. One function a call; each rejects with a
// `Trouble`. Types come from Rust (types.ts, generated). What leaves this folder knows no Tauri.

import { call } from './door';
import type * as wire from './types';

export { asTrouble, inWindow } from './door';
export { copyText, onFileDrop, pickFiles, pickFolder, pickSave, type FileDrop } from './files';
export type * from './types';

/** How times are read that an export does not make plain; null leaves it to the archive. */
export type How = { zone: string | null; dayFirst: boolean | null };

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
export const dryRun = (paths: string[], how: How) =>
  ask('dry_run', { call: 'dry_run', paths, zone: how.zone, day_first: how.dayFirst });

/** Starts an import; `again` brings back what was forgotten, `copyFiles` keeps pictures and recordings. */
export const importPaths = (paths: string[], how: How, again: boolean, copyFiles: boolean) =>
  ask('job', {
    call: 'import',
    paths,
    zone: how.zone,
    day_first: how.dayFirst,
    again,
    me: null,
    copy_files: copyFiles,
  });

export const sample = () => ask('job', { call: 'sample' });
export const jobs = () => ask('jobs', { call: 'jobs' });
export const receipts = () => ask('receipts', { call: 'receipts' });

/** An import with every record that was not kept. */
export const showImport = (number: number) => ask('import', { call: 'show_import', import: number });

/** Takes back all that an import did, and nothing else. */
export const undoImport = (number: number) => ask('forgotten', { call: 'undo_import', import: number });

/** Imports of which nobody has said yet who the owner is; the best guess first. */
export const whoIsMe = () => ask('who_is_me', { call: 'who_is_me' });

/** Everything known of a person, by any of their identities. */
export const person = (id: string) => ask('person', { call: 'person', person: id });

/** People who may be one, with what speaks for it. */
export const suggestPeople = () => ask('suggestions', { call: 'suggest_people' });

/** Makes people one; the first stands for all. Answers with everyone. */
export const mergePeople = (ids: string[]) => ask('people', { call: 'merge_people', people: ids });

/** Takes an identity out of its person. Answers with everyone. */
export const splitPerson = (identity: string) => ask('people', { call: 'split_person', identity });

/** The content of a file that hangs on a message, number `file` from 0. */
export const file = (message: string, file: number) => ask('file', { call: 'file', message, file });

/** Where a message was seen: each export of each import. */
export const provenances = (message: string) => ask('provenances', { call: 'provenances', message });

/** Messages that were found to be copies of others, newest first. */
export const duplicates = () => ask('duplicates', { call: 'duplicates' });

/** What could be imported from this computer, from names, sizes and dates alone. */
export const discover = () => ask('discovered', { call: 'discover' });

export const watched = () => ask('watched', { call: 'watched' });
/** Reads a folder and keeps it up to date from now on. */
export const addWatched = (path: string) => ask('watched', { call: 'add_watched', path });
/** No longer; what was read of it stays. */
export const removeWatched = (path: string) => ask('watched', { call: 'remove_watched', path });

/** What forgetting would remove. Nothing is removed. */
export const previewForget = (target: wire.Target) => ask('forgotten', { call: 'preview_forget', target });

/** Removes for good. */
export const forget = (target: wire.Target) => ask('forgotten', { call: 'forget', target });

// These answer with a bare "done"; callers ask for state again.
/** Writes the records of an import that were not kept as CSV to a file. */
export const exportLost = (number: number, path: string) =>
  call({ call: 'export_lost', import: number, path });
/** Says who the owner is in an import; nobody where the list is empty. */
export const answerMe = (number: number, people: string[]) =>
  call({ call: 'answer_me', import: number, people });
/** These are different people: not suggested again. */
export const notTheSame = (people: string[]) => call({ call: 'not_the_same', people });
/** Shows a copy as a message of its own again, and keeps it so. */
export const undoDuplicate = (message: string) => call({ call: 'undo_duplicate', message });
/** Reads the wall times of a source in a zone, now and from now on. */
export const setZone = (source: string, zone: string) => call({ call: 'set_zone', source, zone });
export const setMe = (people: string[]) => call({ call: 'set_me', people });
export const pause = (job: number) => call({ call: 'pause', job });
export const resume = (job: number) => call({ call: 'resume', job });
/** Stops a job and keeps what is saved. */
export const stop = (job: number) => call({ call: 'stop', job });
/** Opens a Home that a passphrase protects. */
export const unlock = (passphrase: string) => call({ call: 'unlock', passphrase });

// What is on its way into the archive: exports looked at but not yet imported, and jobs. Kept while
// the person visits other views. Files may be dropped in First run and are then waiting here.

import { SvelteSet } from 'svelte/reactivity';
import * as api from '../api';
import type { DryRun, Trouble } from '../api';
import { archive, refresh, working } from '../state/archive.svelte';
import { fallen, type Remaining } from './pace';

/** An export that was pointed at: counted, then imported or put away. */
export type Look = {
  key: number;
  paths: string[];
  dry: DryRun | null;
  trouble: Trouble | null;
  busy: boolean;
  /** In which its wall times are to be read; null leaves it to the archive. */
  zone: string | null;
  /** Whether the day stands first in dates that nothing tells how to read; null leaves it to the archive. */
  dayFirst: boolean | null;
  /** Pictures and recordings are to be copied. */
  copyFiles: boolean;
};

type Arrivals = {
  looks: Look[];
  remaining: Remaining;
  /** Files hang above the window. */
  over: boolean;
  /** A choice that could not be made: the dialog failed, or a job did not obey. */
  trouble: Trouble | null;
};

export const arrivals: Arrivals = $state({ looks: [], remaining: new Map(), over: false, trouble: null });

/** Jobs whose cards were put away, by id. */
export const putAway = new SvelteSet<number>();

/** Imports of old whose receipts were opened, by number; the last one opened comes first. */
export const opened = new SvelteSet<number>();

/** How often a running job is asked how far it is. */
const pollMs = 300;
let last = 0;

/** Counts what an import would do. Nothing is saved. */
export async function look(paths: string[]): Promise<void> {
  if (paths.length === 0) return;
  last += 1;
  const key = last;
  arrivals.looks.unshift({
    key,
    paths,
    dry: null,
    trouble: null,
    busy: false,
    zone: null,
    dayFirst: null,
    copyFiles: false,
  });
  const how = { zone: null, dayFirst: null };
  await attempt(key, async () => void update(key, { dry: await api.dryRun(paths, how) }));
}

/** Counts once more with the times read in another zone, or the dates in another order. */
export async function lookAs(look: Look, change: Partial<api.How>): Promise<void> {
  const { key, paths, zone, dayFirst } = look;
  const how = { zone, dayFirst, ...change };
  update(key, { ...how, busy: true });
  await attempt(key, async () => void update(key, { dry: await api.dryRun(paths, how), busy: false }));
}

/** Imports what was looked at; the job takes the card's place. */
export async function bringIn({ key, paths, zone, dayFirst, copyFiles }: Look): Promise<void> {
  update(key, { busy: true });
  await attempt(key, async () => {
    await api.importPaths(paths, { zone, dayFirst }, false, copyFiles);
    forgetLook(key);
    await refresh();
  });
}

export function forgetLook(key: number): void {
  arrivals.looks = arrivals.looks.filter((one) => one.key !== key);
}

/** Looks again at what could not be read. */
export async function lookAgain({ key, paths }: Look): Promise<void> {
  forgetLook(key);
  await look(paths);
}

export async function startSample(): Promise<void> {
  await obey(api.sample);
}

/** Does something to a job and asks how it is then. */
export async function obey(act: () => Promise<unknown>): Promise<void> {
  try {
    await act();
    arrivals.trouble = null;
    await refresh();
  } catch (thrown) {
    arrivals.trouble = api.asTrouble(thrown);
  }
}

export async function chooseFrom(pick: () => Promise<string[]>): Promise<void> {
  await obey(async () => look(await pick()));
}

/** Follows running jobs closely until the returned function is called; asks nothing while none runs. */
export function follow(): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let stopped = false;
  const ask = async () => {
    try {
      archive.jobs = await api.jobs();
      arrivals.remaining = fallen(arrivals.remaining, archive.jobs);
      if (!working()) await refresh();
    } catch {
      // The status bar says that the archive does not answer; the next refresh tries again.
      stopped = true;
    }
    if (!stopped && working()) timer = setTimeout(ask, pollMs);
  };
  void ask();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}

async function attempt(key: number, act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (thrown) {
    update(key, { trouble: api.asTrouble(thrown), busy: false });
  }
}

function update(key: number, changes: Partial<Look>): void {
  const one = arrivals.looks.find((candidate) => candidate.key === key);
  if (one) Object.assign(one, changes);
}

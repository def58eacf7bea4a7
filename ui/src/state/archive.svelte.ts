// What every view needs to know of the archive: its status and its sources. Asked again every 2 s
// while a job runs, every 15 s otherwise, and at once after a change (`refresh`).

import * as api from '../api';
import type { Job, SourceRow, Status, Trouble } from '../api';

const busyMs = 2_000;
const calmMs = 15_000;

type Archive = {
  status: Status | null;
  sources: SourceRow[];
  jobs: Job[];
  /** Grows whenever messages came or went: what is shown of them is to be asked for again. */
  change: number;
  /** Why the status could not be had; `locked` asks for the passphrase. */
  trouble: Trouble | null;
};

export const archive: Archive = $state({ status: null, sources: [], jobs: [], change: 0, trouble: null });

let timer: ReturnType<typeof setTimeout> | undefined;
let known = '';

/** True while an import reads, saves or embeds. */
export function working(): boolean {
  return archive.jobs.some((job) => job.state === 'running');
}

/** Asks for everything again, and sets the next time to ask. Call it after any change. */
export async function refresh(): Promise<void> {
  clearTimeout(timer);
  try {
    const [status, jobs] = await Promise.all([api.status(), api.jobs()]);
    // Counts change with every import and forgetting; only then the list of sources is asked for.
    const now = JSON.stringify(status.archive);
    if (now !== known) archive.sources = await api.sources();
    if (now !== known && known !== '') archive.change += 1;
    known = now;
    Object.assign(archive, { status, jobs, trouble: null });
  } catch (thrown) {
    archive.trouble = api.asTrouble(thrown);
  }
  clearTimeout(timer);
  timer = setTimeout(refresh, working() ? busyMs : calmMs);
}

/** Asks for everything again after a change that leaves the counts as they are: a merge, a zone, an undo. */
export async function changed(): Promise<void> {
  known = '';
  await refresh();
  archive.change += 1;
}

/** 1 to 6, or 0 for the sources that share "other". */
export function hueOf(source: string): number {
  return archive.sources.find((row) => row.source === source)?.hue ?? 0;
}

/** A source's name for people; its key where the archive does not know it yet. */
export function labelOf(source: string): string {
  return archive.sources.find((row) => row.source === source)?.label ?? source;
}

/** Everything a `Badge` wants. */
export function badgeOf(source: string): { source: string; hue: number; label: string; kind?: string } {
  const row = archive.sources.find((r) => r.source === source);
  return { source, hue: row?.hue ?? 0, label: row?.label ?? source, kind: row?.kind };
}

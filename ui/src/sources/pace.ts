// How far a job is, in words: five stages, done of total, rate, and a remaining time that only falls.
// Pure; the card is JobCard.

import type { Job, Stage, Stages } from '../api';
import { counted, grouped } from '../state/words';

export const stages: { stage: Stage; label: string }[] = [
  { stage: 'reading', label: 'Reading' },
  { stage: 'saving', label: 'Saving' },
  { stage: 'words', label: 'Words searchable' },
  { stage: 'meaning', label: 'Meaning' },
  { stage: 'done', label: 'Done' },
];

export type Step = { label: string; look: 'done' | 'now' | 'next' };

/** The five steps with where the job stands; a finished job has done them all. */
export function stepsOf({ state, progress }: Pick<Job, 'state' | 'progress'>): Step[] {
  const at = stages.findIndex(({ stage }) => stage === progress.stage);
  return stages.map(({ label }, step) => {
    if (state === 'done' || step < at) return { label, look: 'done' };
    return { label, look: step === at ? 'now' : 'next' };
  });
}

/** 0 to 1; null while the total is not known. */
export function fraction({ done, total }: Stages): number | null {
  return total > 0 ? Math.min(done / total, 1) : null;
}

/** The least remaining time shown so far of each stage of each job. A stage has its own total, so it has its own fall. */
export type Remaining = ReadonlyMap<string, number>;

/** Takes new figures into account. What was shown never rises while a stage lasts. */
export function fallen(before: Remaining, jobs: Pick<Job, 'id' | 'state' | 'progress'>[]): Remaining {
  const now = new Map<string, number>();
  for (const { id, state, progress } of jobs) {
    const key = `${id} ${progress.stage}`;
    const known = before.get(key);
    const told = state === 'running' ? progress.remaining_s : null;
    const least = Math.min(told ?? Infinity, known ?? Infinity);
    if (Number.isFinite(least)) now.set(key, least);
  }
  return now;
}

export function remainingOf(
  remaining: Remaining,
  { id, progress }: Pick<Job, 'id' | 'progress'>,
): number | null {
  return remaining.get(`${id} ${progress.stage}`) ?? null;
}

/** "about 40 seconds left", coarse enough that it does not flicker. Seconds in. */
export function leftWords(seconds: number | null): string {
  if (seconds === null) return '';
  if (seconds < 10) return 'a few seconds left';
  if (seconds < 55) return `about ${Math.ceil(seconds / 10) * 10} seconds left`;
  const minutes = Math.max(1, Math.round(seconds / 60));
  if (minutes < 90) return `about ${counted(minutes, 'minute')} left`;
  return `about ${counted(Math.round(minutes / 60), 'hour')} left`;
}

/** No computer reads more a second: such a rate comes of a few messages in no time. */
const believable = 1_000_000;

/** "412 a second"; empty while nothing is known. */
export function rateWords(rate: number): string {
  return rate > 0 && rate < believable
    ? `${grouped(rate < 10 ? Math.round(rate * 10) / 10 : Math.round(rate))} a second`
    : '';
}

/** "3 min 10 s" from milliseconds. */
export function tookWords(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 1) return 'under a second';
  if (seconds < 60) return `${seconds} s`;
  const [minutes, rest] = [Math.floor(seconds / 60), seconds % 60];
  if (minutes < 60) return rest === 0 ? `${minutes} min` : `${minutes} min ${rest} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** What can be done with the archive meanwhile, and what stopping would keep. */
export function noteOf({ state, progress }: Pick<Job, 'state' | 'progress'>): string {
  const verb = state === 'paused' ? 'Paused. ' : '';
  const found = progress.stage === 'meaning' || progress.stage === 'done';
  if (found) return `${verb}You can already find all of it by words. Cancel keeps what is saved.`;
  if (progress.stage === 'words') return `${verb}It is saved; its words can be searched in a moment.`;
  return `${verb}Cancel keeps what is saved so far.`;
}

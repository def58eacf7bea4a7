// Counts by source → stacked bars and the legend that reads them out. A hue belongs to one source for
// life; all sources without one share the band "other". Pure; drawing is parts/StackedBars.

import type { Bucket, SourceRow } from '../api';

/** One colour of the chart: a source, or all that share "other" (hue 0). */
export type Band = { hue: number; label: string; sources: string[] };

/** Bands in the order they are stacked from the ground: hues 1 to 6, then "other". */
export function bandsOf(rows: SourceRow[], only: string | null = null): Band[] {
  const shown = rows.filter((row) => row.messages > 0 && (only === null || row.source === only));
  const hues = [1, 2, 3, 4, 5, 6, 0].map((hue) => shown.filter((row) => row.hue === hue));
  return hues.flatMap((of): Band[] => {
    const [first, second] = of;
    if (!first) return [];
    const label = second ? `${of.length} others` : first.label;
    return [{ hue: first.hue, label, sources: of.map((row) => row.source) }];
  });
}

/** Messages of a band in a bucket. */
export function countOf(band: Band, bySource: Record<string, number>): number {
  return band.sources.reduce((sum, source) => sum + (bySource[source] ?? 0), 0);
}

/** A bar: one bucket, its bands' counts from the ground up. */
export type Stack = { start: number; end: number; counts: number[]; total: number };

export function stacksOf(buckets: Bucket[], bands: Band[]): Stack[] {
  return buckets.map(({ start, end, by_source }) => {
    const counts = bands.map((band) => countOf(band, by_source));
    return { start, end, counts, total: counts.reduce((a, b) => a + b, 0) };
  });
}

/** Sum of each band over some bars. */
export function totals(stacks: Stack[], bands: Band[]): number[] {
  return bands.map((_, at) => stacks.reduce((sum, stack) => sum + (stack.counts[at] ?? 0), 0));
}

/** At most four round values up to `most` at which lines are drawn: 5,000 10,000 15,000. */
export function roundValues(most: number): number[] {
  const power = 10 ** Math.floor(Math.log10(Math.max(most, 1)));
  const steps = [power / 10, power / 5, power / 2, power, 2 * power];
  const step = Math.max(1, steps.find((size) => most / size < 5) ?? power);
  return Array.from({ length: Math.floor(most / step) }, (_, at) => (at + 1) * step);
}

/** The source with most messages among the shown: the one whose missing times are hatched. */
export function largest(rows: SourceRow[], only: string | null): SourceRow | null {
  const shown = rows.filter((row) => row.messages > 0 && (only === null || row.source === only));
  return shown.reduce<SourceRow | null>(
    (most, row) => (row.messages > (most?.messages ?? 0) ? row : most),
    null,
  );
}

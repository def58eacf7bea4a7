// The histogram's arithmetic: buckets to bars, pixels to instants and back. Pure. x runs from 0 to
// `width`, each bucket has the same width whatever its length, since months are read as months.

import type { Bucket, Unit } from '../api';

/** Height of the bars' field and of the tallest bar, px. */
export const fieldHeight = 64;
const tallest = 60;
/** One hit can be seen. */
const least = 2;

export type Bar = { x: number; y: number; width: number; height: number; bucket: Bucket };
export type Brush = { from: number; until: number };

export function bars(buckets: Bucket[], width: number): Bar[] {
  const step = width / Math.max(buckets.length, 1);
  const most = Math.max(1, ...buckets.map((b) => b.count));
  const drawn = buckets.map((bucket, at) => {
    const height = Math.max(least, (bucket.count / most) * tallest);
    return { x: (at + 0.12) * step, y: fieldHeight - height, width: step * 0.72, height, bucket };
  });
  return drawn.filter((bar) => bar.bucket.count > 0);
}

/** Where an instant stands, px. Instants outside stand at the ends. */
export function toX(buckets: Bucket[], width: number, at: number): number {
  const step = width / Math.max(buckets.length, 1);
  const index = buckets.findIndex((b) => at < b.end);
  const bucket = buckets[index];
  if (!bucket) return buckets.length === 0 ? 0 : width;
  const within = (at - bucket.start) / (bucket.end - bucket.start);
  return (index + Math.max(0, within)) * step;
}

/** The bucket under an x; the first or last where x lies outside. */
export function bucketAt(buckets: Bucket[], width: number, x: number): Bucket | undefined {
  const index = Math.floor((x / width) * buckets.length);
  return buckets[Math.min(Math.max(index, 0), buckets.length - 1)];
}

/** The buckets between two x, whole, in whichever order they were dragged. */
export function brushBetween(buckets: Bucket[], width: number, a: number, b: number): Brush | null {
  const first = bucketAt(buckets, width, Math.min(a, b));
  const last = bucketAt(buckets, width, Math.max(a, b));
  return first && last ? { from: first.start, until: last.end } : null;
}

/** One edge of a brush dragged to x. Edges stay at least a bucket apart. */
export function dragEdge(
  buckets: Bucket[],
  width: number,
  brush: Brush,
  edge: 'from' | 'until',
  x: number,
): Brush {
  const bucket = bucketAt(buckets, width, x);
  if (!bucket) return brush;
  if (edge === 'from') return { ...brush, from: Math.min(bucket.start, lastStart(buckets, brush.until)) };
  return { ...brush, until: Math.max(bucket.end, firstEnd(buckets, brush.from)) };
}

/** One edge of a brush moved by whole buckets, as the arrow keys do. */
export function nudge(buckets: Bucket[], brush: Brush, edge: 'from' | 'until', by: number): Brush {
  const starts = buckets.map((b) => b.start);
  const ends = buckets.map((b) => b.end);
  const edges = edge === 'from' ? starts : ends;
  const near = edges.findIndex((at) => at >= brush[edge]);
  const at = edges[Math.min(Math.max((near < 0 ? edges.length - 1 : near) + by, 0), edges.length - 1)];
  if (at === undefined) return brush;
  const moved = { ...brush, [edge]: at };
  return moved.from < moved.until ? moved : brush;
}

function lastStart(buckets: Bucket[], until: number): number {
  return buckets.findLast((b) => b.start < until)?.start ?? until;
}

function firstEnd(buckets: Bucket[], from: number): number {
  return buckets.find((b) => b.end > from)?.end ?? from;
}

/** Messages in the buckets that a brush touches; all where there is none. */
export function countWithin(buckets: Bucket[], brush: Brush | null): number {
  const inside = buckets.filter((b) => !brush || (b.start < brush.until && b.end > brush.from));
  return inside.reduce((sum, b) => sum + b.count, 0);
}

export type Tick = { x: number; label: string };

/** Labels under the bars at each turn of the next larger unit, thinned so that they do not touch. */
export function ticks(buckets: Bucket[], width: number, unit: Unit, zone: string): Tick[] {
  const step = width / Math.max(buckets.length, 1);
  const options = tickOptions[unit];
  const format = new Intl.DateTimeFormat(undefined, { ...options, timeZone: zone });
  const found: Tick[] = [];
  let before = '';
  for (const [at, bucket] of buckets.entries()) {
    const label = format.format(bucket.start);
    const last = found.at(-1);
    const room = at * step + tickRoom <= width + 8 && (!last || at * step - last.x >= tickRoom);
    if (label !== before && room) found.push({ x: at * step, label });
    before = label;
  }
  return found;
}

/** Px that a label and the space after it take. */
const tickRoom = 44;

const tickOptions: Record<Unit, Intl.DateTimeFormatOptions> = {
  year: { year: 'numeric' },
  month: { year: 'numeric' },
  week: { month: 'short', year: '2-digit' },
  day: { month: 'short', year: '2-digit' },
  hour: { day: 'numeric', month: 'short' },
};

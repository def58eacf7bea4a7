// A conversation's part of a day, in words. Pure.

import type { Cluster } from '../api';
import { hasMany, counted } from '../state/words';
import { clockSpan } from './calendar';

/** "42 messages, 17:40–19:05"; notes are counted as notes. */
export function spanOf({ kind, count, first, last }: Cluster, zone: string): string {
  return `${counted(count, kind === 'note' ? 'note' : 'message')}, ${clockSpan(first, last, zone)}`;
}

/** The first line, with who said it where several could have. */
export function lineOf({ kind, name, title, line }: Cluster): string {
  const several = hasMany(kind);
  return several && name && name !== title ? `${name}: ${line}` : line;
}

type Hour = { start: number; end: number; count: number };

/** The hours a cluster reaches over; without one, the busiest of the day. */
export function hoursOf(hours: Hour[], pointed: Cluster | null): Set<number> {
  const most = Math.max(...hours.map((hour) => hour.count));
  const wanted = (hour: Hour) =>
    pointed ? hour.start <= pointed.last && hour.end > pointed.first : hour.count >= most * 0.6;
  return new Set(hours.filter(wanted).map((hour) => hour.start));
}

// A message as it is pasted elsewhere: its words, then who said them where and when.

import type { Shown } from '../api';
import { exact } from '../state/dates';

export function citation(message: Shown, sourceLabel: string, zone: string): string {
  const who = message.mine ? 'I' : message.name;
  const where = message.title === message.name ? sourceLabel : `${message.title} (${sourceLabel})`;
  return `“${message.text.trim()}”\n— ${who}, ${where}, ${exact(message.time, zone)}`;
}

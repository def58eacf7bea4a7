// What lies over the view (at most one), whether words are blurred for a screenshot, and the one line
// that is said politely to screen readers and shown shortly in the status bar.

import type { PersonRow, Target } from '../api';

type Layer = {
  open: 'palette' | 'keys' | 'date' | 'forget' | 'origin' | 'merge' | null;
  /** What `forget` asks about. */
  target: Target | null;
  /** The message of which `origin` shows where it was seen. */
  message: string;
  /** Whom `merge` makes one with somebody else. */
  person: PersonRow | null;
  /** Where "go to date" leads in the view shown now; the timeline where the view has no say. */
  goTo: ((day: string) => void) | null;
  blur: boolean;
  said: string;
};

export const layer: Layer = $state({
  open: null,
  target: null,
  message: '',
  person: null,
  goTo: null,
  blur: false,
  said: '',
});

/** Asks, with a preview of what goes, whether to forget. */
export function askForget(target: Target): void {
  layer.target = target;
  layer.open = 'forget';
}

/** Shows in which exports a message was seen. */
export function askOrigin(message: string): void {
  layer.message = message;
  layer.open = 'origin';
}

/** Asks with whom somebody is one. */
export function askMerge(person: PersonRow): void {
  layer.person = person;
  layer.open = 'merge';
}

const saidMs = 4_000;
let timer: ReturnType<typeof setTimeout> | undefined;

/** Says something short that needs no answer: "Copied". */
export function say(text: string): void {
  clearTimeout(timer);
  layer.said = text;
  timer = setTimeout(() => (layer.said = ''), saidMs);
}

export function toggleBlur(): void {
  layer.blur = !layer.blur;
  document.documentElement.toggleAttribute('data-blur', layer.blur);
}

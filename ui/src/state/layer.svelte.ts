// Which layer lies over the view (at most one), whether words are blurred for a screenshot, and the
// one line that is said politely to screen readers and shown shortly in the status bar.

export const layer: { open: 'palette' | 'keys' | 'date' | null; blur: boolean; said: string } = $state({
  open: null,
  blur: false,
  said: '',
});

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

// The hand on the chart: wheel zooms, drag pans, shift-drag marks a range, a click opens. Reports
// pixels from the chart's left edge; what they mean is the caller's.

export type Gestures = {
  /** Factor above 1 shows more. */
  zoom: (x: number, factor: number) => void;
  /** Moved by this many px to the right. */
  drag: (by: number) => void;
  /** While a range is marked, and once more with `done` when it is let go. */
  mark: (from: number, to: number, done: boolean) => void;
  open: (x: number) => void;
  /** Null when the pointer leaves. */
  hover: (x: number | null) => void;
};

/** Less than this is a click with an unsteady hand, px. */
const slack = 4;
const zoomPerPx = 0.0016;

/** Listens on an element until the returned function is called. */
export function listenTo(node: HTMLElement, gestures: Gestures): () => void {
  let start: { x: number; last: number; marking: boolean; moved: boolean } | null = null;
  const at = (event: MouseEvent) => event.clientX - node.getBoundingClientRect().left;

  function wheel(event: WheelEvent) {
    event.preventDefault();
    const px = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 24 : 1;
    const sideways = Math.abs(event.deltaX) > Math.abs(event.deltaY);
    if (sideways) gestures.drag(-event.deltaX * px);
    else gestures.zoom(at(event), Math.exp(Math.max(-240, Math.min(event.deltaY * px, 240)) * zoomPerPx));
  }
  function down(event: PointerEvent) {
    if (event.button !== 0) return;
    node.setPointerCapture(event.pointerId);
    start = { x: at(event), last: at(event), marking: event.shiftKey, moved: false };
  }
  function move(event: PointerEvent) {
    const x = at(event);
    gestures.hover(x);
    if (!start) return;
    start.moved ||= Math.abs(x - start.x) >= slack;
    if (!start.moved) return;
    if (start.marking) gestures.mark(start.x, x, false);
    else gestures.drag(x - start.last);
    start.last = x;
  }
  function up(event: PointerEvent) {
    if (start?.moved && start.marking) gestures.mark(start.x, at(event), true);
    else if (start && !start.moved) gestures.open(at(event));
    start = null;
  }
  const cancel = () => (start = null);
  const leave = () => gestures.hover(null);

  const controller = new AbortController();
  const { signal } = controller;
  node.addEventListener('wheel', wheel, { passive: false, signal });
  node.addEventListener('pointerdown', down, { signal });
  node.addEventListener('pointermove', move, { signal });
  node.addEventListener('pointerup', up, { signal });
  node.addEventListener('pointercancel', cancel, { signal });
  node.addEventListener('pointerleave', leave, { signal });
  return () => controller.abort();
}

// Stacked bars as one SVG path a hue: thousands of bars stay a handful of elements. Pure geometry;
// y runs down from the top of the field, as SVG does.

export type Bar = { x: number; width: number; counts: number[] };

/** Px between two segments of a bar, so that hue is not alone in telling them apart. */
const seam = 0.6;
/** A segment thinner than its seam is not seen; this much of it always is. */
const leastHeight = 0.4;

/** The path of one band of all bars, by its place in the stack from the ground. */
export function bandPath(bars: Bar[], band: number, most: number, height: number): string {
  let path = '';
  for (const { x, width, counts } of bars) {
    const count = counts[band] ?? 0;
    if (count === 0) continue;
    const below = counts.slice(0, band).reduce((a, b) => a + b, 0);
    const foot = height - (below / most) * height - (below > 0 ? seam : 0);
    const rise = Math.max(leastHeight, (count / most) * height - (below > 0 ? seam : 0));
    path += `M${round(x)} ${round(foot)}v${round(-rise)}h${round(width)}V${round(foot)}z`;
  }
  return path;
}

/** Where a bar stands between the edges of its unit: narrow bars keep their width, wide ones get air. */
export function barBox(x0: number, x1: number): { x: number; width: number } {
  const step = x1 - x0;
  const air = Math.min(Math.max(step * 0.22, 0.4), 6);
  return { x: x0 + air * 0.3, width: Math.max(step - air, 0.8) };
}

function round(n: number): number {
  return Math.round(n * 10) / 10;
}

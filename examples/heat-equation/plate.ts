/** A square plate, its edge kept cold and some discs kept hot, in two grids: each step reads one and writes the other. */

/** How much of the difference to its neighbours a cell takes on in a step: above 0.25 the scheme is not stable. */
export const ALPHA = 0.2;

/** A disc that is kept at its heat. Places and sizes are parts of the side. */
export interface Source {
  readonly x: number;
  readonly y: number;
  readonly radius: number;
  /** From 0, the edge, to 1. */
  readonly heat: number;
}

export const SOURCES: readonly Source[] = [
  { x: 0.3, y: 0.3, radius: 0.08, heat: 1 },
  { x: 0.7, y: 0.4, radius: 0.05, heat: 0.8 },
  { x: 0.45, y: 0.75, radius: 0.1, heat: 0.6 },
];

/** The heat of a cell that is kept, or `null` of one that changes. */
export function kept(sources: readonly Source[], side: number, x: number, y: number): number | null {
  if (x === 0 || y === 0 || x === side - 1 || y === side - 1) return 0;
  const source = sources.find((disc) => Math.hypot(x / side - disc.x, y / side - disc.y) <= disc.radius);
  return source?.heat ?? null;
}

/** One step of the rows from `top` up to, not including, `bottom`. Returns the greatest change of a cell. */
export function step(
  from: Float64Array,
  to: Float64Array,
  fixed: Uint8Array,
  side: number,
  top: number,
  bottom: number,
): number {
  let most = 0;
  for (let at = top * side; at < bottom * side; at++) {
    if (fixed[at] !== 0) continue; // both grids have its heat
    const here = from[at]!;
    const change = ALPHA * (from[at - 1]! + from[at + 1]! + from[at - side]! + from[at + side]! - 4 * here);
    to[at] = here + change;
    most = Math.max(most, Math.abs(change));
  }
  return most;
}

import type { Colour } from './png.js';

/** From cold to hot. */
const STOPS: readonly Colour[] = [
  [10, 12, 40],
  [74, 20, 110],
  [178, 38, 96],
  [237, 105, 37],
  [251, 190, 60],
  [255, 250, 220],
];

/** Isotherms, lines of equal heat, are drawn this far apart. */
const ISOTHERM = 0.1;

/** The colour of a heat from 0 to 1, mixed out of its two neighbours. */
export function heatColour(heat: number): Colour {
  const place = Math.min(Math.max(heat, 0), 1) * (STOPS.length - 1);
  const below = Math.min(Math.floor(place), STOPS.length - 2);
  const part = place - below;
  const mixed = (i: 0 | 1 | 2): number => Math.round(STOPS[below]![i] * (1 - part) + STOPS[below + 1]![i] * part);
  return [mixed(0), mixed(1), mixed(2)];
}

/** Whether an isotherm runs between two cells. */
export function crosses(a: number, b: number): boolean {
  return Math.floor(a / ISOTHERM) !== Math.floor(b / ISOTHERM);
}

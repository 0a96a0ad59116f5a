/** The heavy part: the Mandelbrot set, tile by tile. */
import { DETAILS, type DetailName, PICTURE, PLACES, type PlaceName, type TilePlace } from './messages.js';

/** What is drawn. */
export interface View {
  readonly place: PlaceName;
  readonly detail: DetailName;
}

/** A tile that is drawn. */
export interface Tile extends TilePlace {
  /** A colour number for each pixel; 0 is the set itself. */
  readonly pixels: Uint8Array;
  readonly pid: number;
}

/** All tiles, from the middle outwards: what one looks at comes first. */
export function tilesOf({ width, height, tile }: typeof PICTURE): TilePlace[] {
  const tiles: TilePlace[] = [];
  for (let y = 0; y < height; y += tile) {
    for (let x = 0; x < width; x += tile) {
      tiles.push({ x, y, width: Math.min(tile, width - x), height: Math.min(tile, height - y) });
    }
  }
  const distance = ({ x, y }: TilePlace): number => Math.hypot(x + tile / 2 - width / 2, y + tile / 2 - height / 2);
  return tiles.sort((a, b) => distance(a) - distance(b));
}

/** Draws a tile. */
export function drawTile({ place, detail }: View, tile: TilePlace): Tile {
  const { x: centerX, y: centerY, width } = PLACES[place];
  const limit = DETAILS[detail];
  const scale = width / PICTURE.width;
  const pixels = new Uint8Array(tile.width * tile.height);
  for (let row = 0; row < tile.height; row++) {
    for (let column = 0; column < tile.width; column++) {
      const cx = centerX + (tile.x + column - PICTURE.width / 2) * scale;
      const cy = centerY + (tile.y + row - PICTURE.height / 2) * scale;
      pixels[row * tile.width + column] = colourNumber(cx, cy, limit);
    }
  }
  return { ...tile, pixels, pid: process.pid };
}

function colourNumber(cx: number, cy: number, limit: number): number {
  let [x, y] = [0, 0];
  for (let n = 0; n < limit; n++) {
    const [xx, yy] = [x * x, y * y];
    if (xx + yy > 256) {
      // How far it was past the edge makes bands into a slope; a root, since most is near the start.
      const smooth = n + 1 - Math.log2(Math.log(xx + yy) / 2);
      return 1 + (Math.floor(32 * Math.sqrt(Math.max(0, smooth))) % 255);
    }
    y = 2 * x * y + cy;
    x = xx - yy + cx;
  }
  return 0;
}

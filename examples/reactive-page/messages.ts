/** What the server tells the page. */

/** Where to look, and how deep. The page's lists have the same names. */
export const PLACES = {
  whole: { x: -0.75, y: 0, width: 3.3 },
  seahorses: { x: -0.7436, y: 0.1318, width: 0.014 },
  spiral: { x: -0.743643, y: 0.131825, width: 0.0002 },
} as const;
export const DETAILS = { low: 300, medium: 3_000, high: 20_000 } as const;

export type PlaceName = keyof typeof PLACES;
export type DetailName = keyof typeof DETAILS;

/** Pixels of the picture, and of one side of a tile. */
export const PICTURE = { width: 960, height: 640, tile: 64 } as const;

/** A part of the picture. */
export interface TilePlace {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Event `tile`: a part that is done. */
export interface TileMessage extends TilePlace {
  /** A colour number from 0 to 255 for each pixel, row by row, in base64. */
  readonly pixels: string;
  /** Process that drew it. */
  readonly pid: number;
  readonly done: number;
  readonly total: number;
}

/** Event `end`: there is no more. */
export interface EndMessage {
  readonly seconds: number;
  /** Processes that took part. */
  readonly workers: number;
}

/** Event `workers`: the state of the pool. */
export interface WorkersMessage {
  readonly workers: readonly {
    readonly number: number;
    readonly pid: number | null;
    readonly state: string;
    /** Part of the last moments in which it worked, 0 to 1. */
    readonly busy: number;
    /** Tiles that it has drawn. */
    readonly done: number;
  }[];
  /** Tiles that all of them draw in a second. */
  readonly rate: number;
  /** Pages that watch. */
  readonly watching: number;
  /** What happened last, the newest first. */
  readonly events: readonly string[];
}

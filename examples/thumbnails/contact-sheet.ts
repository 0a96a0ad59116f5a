/** All thumbnails on one sheet. */
import sharp from 'sharp';
import { SIZE } from './thumbnail.js';

const COLUMNS = 6;
const GAP = 10;

/** Writes `files`, in their order, row by row into the picture `out`. */
export async function contactSheet(files: readonly string[], out: string): Promise<void> {
  const [across, down] = [SIZE.width + GAP, SIZE.height + GAP];
  const rows = Math.max(1, Math.ceil(files.length / COLUMNS));
  const sheet = sharp({
    create: { width: COLUMNS * across + GAP, height: rows * down + GAP, channels: 3, background: '#20242b' },
  });
  const placed = files.map((input, i) => ({
    input,
    left: GAP + (i % COLUMNS) * across,
    top: GAP + Math.floor(i / COLUMNS) * down,
  }));
  await sheet.composite(placed).jpeg({ quality: 85 }).toFile(out);
}

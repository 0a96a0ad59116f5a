/** The work of a worker: one picture, made small. */
import { basename, extname, join } from 'node:path';
import sharp from 'sharp';

/** Pixels of a thumbnail. */
export const SIZE = { width: 200, height: 150 };

export interface Thumbnail {
  readonly file: string;
  /** Of the picture. */
  readonly width: number;
  readonly height: number;
  /** Of the thumbnail, bytes. */
  readonly bytes: number;
}

/** sharp has threads of its own; here there is a process for each core already. */
export function oneThread(): void {
  sharp.concurrency(1);
}

export async function thumbnail(file: string, folder: string): Promise<Thumbnail> {
  const small = join(folder, `${basename(file, extname(file))}.webp`);
  const picture = sharp(file).rotate(); // as its camera was held
  const { width, height } = await picture.metadata();
  const { size } = await picture
    .resize({ ...SIZE, fit: 'cover' })
    .webp({ quality: 80 })
    .toFile(small);
  return { file: small, width, height, bytes: size };
}

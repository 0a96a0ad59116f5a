/** examples/thumbnails: each picture is made small, a broken one is left out, and the sheet has all of them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp, { type Region } from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runExample } from '../support/example-program.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'thumbnails-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The mean colour of a part of a picture. */
async function mean(file: string, part: Region): Promise<number[]> {
  const { data } = await sharp(file)
    .extract(part)
    .resize(1, 1)
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  return [...data];
}

describe('thumbnails', () => {
  it('are those of the pictures, and on the sheet in order', { timeout: 120_000 }, async () => {
    const [pictures, out] = [join(folder, 'pictures'), join(folder, 'out')];
    const { stdout, stderr, code } = await runExample('thumbnails/main', ['--pictures', '8', pictures, out]);
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    expect(stdout).toContain('8 pictures are drawn, and one that is broken\n');
    expect(stdout.match(/^.*\.webp: 1600 x 1200, now \d+ bytes$/gm)).toHaveLength(8);
    expect(stdout).toContain('broken.jpg is left out: Input file contains unsupported image format\n');
    expect(stdout).toContain('8 of 9 thumbnails are in ');

    const sheet = join(out, 'contact-sheet.jpg');
    expect(await sharp(sheet).metadata()).toMatchObject({ format: 'jpeg', width: 6 * 210 + 10, height: 2 * 160 + 10 });
    for (const n of [0, 5, 7]) {
      const small = join(out, `picture-00${n}.webp`);
      expect(await sharp(small).metadata()).toMatchObject({ format: 'webp', width: 200, height: 150 });
      // A corner of its sky, in the picture, in the thumbnail and on the sheet.
      const sky = await mean(join(pictures, `picture-00${n}.jpg`), { left: 40, top: 40, width: 80, height: 80 });
      const [left, top] = [10 + (n % 6) * 210, 10 + Math.floor(n / 6) * 160];
      const close = sky.map((channel) => expect.closeTo(channel, -1)); // within 5 of 255
      expect(await mean(small, { left: 5, top: 5, width: 10, height: 10 })).toEqual(close);
      expect(await mean(sheet, { left: left + 5, top: top + 5, width: 10, height: 10 })).toEqual(close);
    }
  });
});

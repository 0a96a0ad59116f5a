/** Draws pictures to make thumbnails of. The same number always gives the same picture. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';

const WIDTH = 1600;
const HEIGHT = 1200;

/** Hills before a sky, in colours of their own. */
function landscape(n: number): string {
  const hue = (n * 47) % 360;
  const hills = Array.from({ length: 4 }, (_, layer) => {
    const y = HEIGHT * (0.4 + 0.14 * layer);
    const points = Array.from({ length: 17 }, (_point, i) => {
      const height = 90 * Math.sin(i * (0.6 + 0.1 * layer) + n + layer * 2);
      return `${i * 100},${Math.round(y + height)}`;
    });
    const fill = `hsl(${(hue + 20 * layer) % 360} 45% ${62 - 13 * layer}%)`;
    return `<polygon points="0,${HEIGHT} ${points.join(' ')} ${WIDTH},${HEIGHT}" fill="${fill}"/>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}">
    <rect width="100%" height="100%" fill="hsl(${(hue + 180) % 360} 60% 85%)"/>
    <circle cx="${300 + ((n * 211) % 1000)}" cy="260" r="110" fill="hsl(${(hue + 40) % 360} 90% 70%)"/>
    ${hills.join('\n')}</svg>`;
}

/** Writes picture number `n` into a folder. */
export async function draw(folder: string, n: number): Promise<void> {
  const file = join(folder, `picture-${String(n).padStart(3, '0')}.jpg`);
  await sharp(Buffer.from(landscape(n)))
    .jpeg({ quality: 90 })
    .toFile(file);
}

/** Writes a file that has the name of a picture, and is none. */
export async function writeBroken(folder: string): Promise<void> {
  await writeFile(join(folder, 'broken.jpg'), 'this is no picture');
}

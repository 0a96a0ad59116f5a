/**
 * Thumbnails: each picture of a folder made small in a pool, with sharp, and all of them on one sheet.
 *
 *   node .build/examples/thumbnails/main.js [--pictures N] [FOLDER] [OUT]
 */
import { existsSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Pool } from 'multiprocess';
import { contactSheet } from './contact-sheet.js';
import { draw, writeBroken } from './pictures.js';
import { oneThread, type Thumbnail, thumbnail } from './thumbnail.js';

const { values, positionals } = parseArgs({
  options: { pictures: { type: 'string', default: '24' } },
  allowPositionals: true,
});
const [folder = 'pictures', out = 'thumbnails'] = positionals;

await using pool = new Pool({ initializer: oneThread });
if (!existsSync(folder)) {
  await mkdir(folder, { recursive: true });
  await pool.map((n: number) => draw(folder, n), Array(Number(values.pictures)).keys());
  await writeBroken(folder);
  console.log(`${values.pictures} pictures are drawn, and one that is broken`);
}
await mkdir(out, { recursive: true });

const pictures = (await readdir(folder)).filter((name) => /\.(jpe?g|png|webp|avif|tiff?)$/i.test(name)).sort();
const results = pool.imapUnordered((name: string) => thumbnail(join(folder, name), out), pictures, {
  errors: 'settle', // one that is broken stops none of the others
  timeout: 60_000,
});
const made: Thumbnail[] = [];
for await (const result of results) {
  if (result.status === 'fulfilled') {
    made.push(result.value);
    const { file, width, height, bytes } = result.value;
    console.log(`${file}: ${width} x ${height}, now ${bytes} bytes`);
  } else {
    console.log(`${pictures[result.reason.itemIndex]} is left out: ${result.reason.message}`);
  }
}

const sheet = join(out, 'contact-sheet.jpg');
await contactSheet(made.map(({ file }) => file).sort(), sheet);
console.log(`${made.length} of ${pictures.length} thumbnails are in ${sheet}`);

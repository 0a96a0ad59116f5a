/**
 * Part of `npm pack`: sees to it that the package carries no addon that is older than the sources. Those of `npm run build:prebuilt` are packed;
 * where this platform's is missing the one that was built here takes its place, which loads on systems no older than this one.
 */
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { built, isFresh, prebuilt, root } from './addon-files.js';

const folder = join(root, 'prebuilds');
for (const name of existsSync(folder) ? readdirSync(folder) : []) {
  if (isFresh(join(folder, name, 'multiprocess.node'))) continue;
  rmSync(join(folder, name), { recursive: true });
  console.warn(
    `The addon in prebuilds/${name} is older than its sources and was removed: \`npm run build:prebuilt\` makes it.`,
  );
}
if (process.platform === 'linux' && !existsSync(prebuilt)) {
  mkdirSync(dirname(prebuilt), { recursive: true });
  copyFileSync(built, prebuilt);
}

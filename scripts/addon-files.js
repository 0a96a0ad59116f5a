/** Where the addon lies: built here, or prebuilt for a platform. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** What node-gyp builds; the library looks here first. */
export const built = join(root, 'build', 'Release', 'multiprocess.node');

/** Whether this Node was built for musl, as Alpine's is. */
export const isMusl =
  process.platform === 'linux' && process.report?.getReport().header.glibcVersionRuntime === undefined;

/** What the package carries for this platform: prebuilds/linux-x64, prebuilds/linux-x64-musl, … */
export const prebuilt = join(
  root,
  'prebuilds',
  `${process.platform}-${process.arch}${isMusl ? '-musl' : ''}`,
  'multiprocess.node',
);

/** Whether a binary is there and newer than all that it is made of. */
export function isFresh(file) {
  if (!existsSync(file)) return false;
  const sources = [
    join(root, 'binding.gyp'),
    ...readdirSync(join(root, 'native')).map((name) => join(root, 'native', name)),
  ];
  const time = statSync(file).mtimeMs;
  return sources.every((source) => statSync(source).mtimeMs < time);
}

/** Holds the package, as `npm pack` has just made it of dist/, against its bounds: half of what it was before its declarations were rolled up. */
import { execFileSync } from 'node:child_process';
import { root } from './subpaths.js';

const FILES = 776;
const BYTES = 2_350_000;

const listed = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
  cwd: root,
  encoding: 'utf8',
});
const [{ entryCount, unpackedSize, size, files }] = JSON.parse(listed);
const addons = files.filter(({ path }) => path.startsWith('prebuilds/')).map(({ path }) => path);
console.log(
  `${entryCount} files, ${unpackedSize} bytes unpacked, ${size} packed, with ${addons.join(' and ') || 'no addon'}`,
);
if (entryCount > FILES || unpackedSize > BYTES) {
  console.error(`The package may have ${FILES} files and ${BYTES} bytes: see what it carries, \`npm pack --dry-run\`.`);
  process.exitCode = 1;
}

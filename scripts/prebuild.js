/**
 * Puts the addon that was built here where an installed package looks for it. A prebuilt one that is newer than the
 * sources stays: a release is packed with binaries that were built on older systems.
 */
import { copyFileSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { built, isFresh, prebuilt } from './addon-files.js';

if (!isFresh(prebuilt)) {
  mkdirSync(dirname(prebuilt), { recursive: true });
  copyFileSync(built, prebuilt);
}

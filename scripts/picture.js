/**
 * Draws the pictures of docs/pictures, each from its lists in scripts/pictures.
 *
 *   npm run picture
 *
 * test/docs/pictures.test.ts compares what they draw with the files.
 */
import { writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import * as overview from './pictures/overview.js';
import * as window from './pictures/window.js';
import { root } from './subpaths.js';

/** Each has the `file` that it is drawn into, and is `drawn()`. */
export const pictures = [overview, window];

if (import.meta.url === pathToFileURL(process.argv[1]).href)
  for (const { file, drawn } of pictures) writeFileSync(root + file, drawn());

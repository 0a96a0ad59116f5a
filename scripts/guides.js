/** The guides, as docs/guides/README.md lists them: their only list, and their order. */
import { readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { root } from './subpaths.js';

const FOLDER = 'docs/guides';

/**
 * What the index links to.
 *
 *   file       docs/platforms.md, below the package
 *   section    the heading above its line
 *   title      the text of the link
 */
export function guides() {
  let section = '';
  return readFileSync(`${root}${FOLDER}/README.md`, 'utf8')
    .split('\n')
    .flatMap((line) => {
      section = /^## (.*)$/.exec(line)?.[1] ?? section;
      const [, title, target] = /^- \[([^\]]+)\]\(([^)]+)\)/.exec(line) ?? [];
      return target === undefined ? [] : [{ file: posix.join(FOLDER, target), section, title }];
    });
}

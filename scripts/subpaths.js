/** The package's subpaths, as package.json's `exports` has them: their only list. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Folder of the package, with a slash at its end. */
export const root = fileURLToPath(new URL('..', import.meta.url));

/** The declarations among the targets of conditions, however deep. */
function typesOf(target) {
  if (typeof target !== 'object' || target === null) return undefined;
  return typeof target.types === 'string' ? target.types : Object.values(target).map(typesOf).find(Boolean);
}

/**
 * What can be imported and has declarations.
 *
 *   name          queues; index for the root
 *   specifier     multiprocess/queues
 *   source        src/queues/index.ts
 */
export function subpaths() {
  const { name: own, exports } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));
  return Object.entries(exports).flatMap(([subpath, target]) => {
    const types = typesOf(target);
    if (types === undefined) return [];
    return {
      name: subpath === '.' ? 'index' : subpath.slice('./'.length),
      specifier: subpath.replace('.', own),
      source: types.replace('./dist/', 'src/').replace(/\.d\.ts$/, '.ts'),
    };
  });
}

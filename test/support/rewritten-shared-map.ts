/** The real table and cells of src/shared-map as the explorer runs them, with the real guard. */
import * as errors from '../../src/errors/index.js';
import * as options from '../../src/util/options.js';
import { loadRewritten } from './generatorize.js';
import { rewrittenGuard } from './rewritten-synchronize.js';
import { changedSources, type Fitting, type Mutation } from './source-text.js';

/** Words of a cell here: four of the header, and four more. */
export const CELL_WORDS = 8;

/** As small as a test can use, for the sake of the number of bytes in a state. */
const SMALL: Fitting[] = [
  ['const CELL_BITS = 4;', 'const CELL_BITS = 3;'],
  ['const STRIPES = 64;', 'const STRIPES = 2;'],
  ['const VERSIONS = 16;', 'const VERSIONS = 12;'],
  ['const MAX_LOOKS = 64;', 'const MAX_LOOKS = 2;'],
];

/** Loads the map's memory. @param names Agents, in order. */
export function rewrittenSharedMap(names: readonly string[], mutation?: Mutation): Record<string, any> {
  const guard = rewrittenGuard(names, mutation);
  const files = ['layout', 'key', 'cells', 'map-memory'].map((file) => `shared-map/${file}`);
  return loadRewritten(
    changedSources(files, mutation, SMALL),
    { 'synchronize/index': guard, 'errors/index': errors, 'util/options': options },
    { calls: ['runLocked', 'repairIfAbandoned', 'section'], shared: ['#words'] },
  );
}

/** What loaded the compiled library: scripts/load.cjs. */
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { CODE } from './package.js';

/** What scripts/load.cjs exports. */
export interface Loader {
  /** The exports of the entries that were loaded, by name. */
  readonly opened: ReadonlyMap<string, Readonly<Record<string, unknown>>>;
  /** Loads a package that the library depends on, with V8's code cache. */
  dependency(name: string): unknown;
}

const { cache } = createRequire(import.meta.url);
const FILE = fileURLToPath(new URL('load.cjs', CODE));

/** The loader. `undefined` where the sources run, as in tests. */
export function loader(): Loader | undefined {
  return cache[FILE]?.exports as Loader | undefined;
}

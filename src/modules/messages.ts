/** Why a module that a value names cannot be used. */
import type { SerializationError } from '../errors/index.js';
import { refuse } from '../errors/refuse.js';

/** A by-reference export is missing on this side. */
export function missingExport(specifier: string, name: string): SerializationError {
  return refuse(
    'MP_MISSING_EXPORT',
    `Module "${specifier}" has no export \`${name}\` in this process`,
    'both sides must load the same version of the file, and it must export the name while it loads',
  );
}

/** `build` came before `loadModules`. */
export function moduleNotLoaded(specifier: string): SerializationError {
  return refuse(
    'MP_MODULE_NOT_LOADED',
    `Module "${specifier}" was not loaded before the value that needs it was rebuilt`,
    'await loadModules(requests) first',
  );
}

/** A module that a payload needs does not load. */
export function moduleFailed(specifier: string, parent: string | null, cause: unknown): SerializationError {
  const from = parent === null ? '' : ` (imported by ${parent})`;
  const why = cause instanceof Error ? cause.message : String(cause);
  const what = `Module "${specifier}"${from} could not be loaded in this process: ${why.replace(/\.\s*$/, '')}`;
  return refuse('MP_MODULE_FAILED', what, repairOfLoad(cause), { cause });
}

/** The warning about a module that does not end to load. */
export function stillLoading(specifier: string, parent: string | null, ms: number): string {
  const from = parent === null ? '' : ` (imported by ${parent})`;
  return (
    `Module "${specifier}"${from} has been loading for ${ms / 1_000} s in this process, and the calls and values that need it wait: for ever, ` +
    'if an `await` at its top, or at that of a module that it imports, never settles here. A `timeout` ends such a call.'
  );
}

/** What makes a module that loads in the sender load here. */
function repairOfLoad(cause: unknown): string {
  const { code, name } = (cause ?? {}) as { readonly code?: unknown; readonly name?: unknown };
  if (code === 'ERR_REQUIRE_ESM_RACE_CONDITION')
    return 'import the module that is required before, in the `initializer` of the pool';
  // Written for a compiler or loader that the sender has.
  if (code === 'ERR_UNKNOWN_FILE_EXTENSION' || code === 'ERR_UNSUPPORTED_DIR_IMPORT' || name === 'SyntaxError')
    return LOADER;
  if (code === 'MODULE_NOT_FOUND' || code === 'ERR_MODULE_NOT_FOUND')
    return `${LOADER}; a package must be installed where that file is`;
  return 'a module must load in every process that uses it: what only the first process can do belongs into a function that it calls';
}

const LOADER =
  'what compiles the files of the program must be loaded by an option of Node (`node -r ts-node/register`, `node --import tsx`), which workers inherit, ' +
  'or be given to them as `execArgv`';

/** `loads` met a module with a top-level await. */
export function moduleIsAsync(specifier: string, cause: unknown): SerializationError {
  return refuse(
    'MP_ASYNC_MODULE',
    `Module "${specifier}" has a top-level await, so it cannot be loaded at once`,
    'use loadsAsync instead of loads',
    { cause },
  );
}

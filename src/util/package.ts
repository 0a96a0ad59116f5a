/**
 * Where this copy of the package is. Modules stand in src/<folder>/ and, compiled, in dist/chunks/:
 * two steps below the package, one below the folder that entries are named in.
 */

/** The package's folder. */
export const PACKAGE = new URL('../../', import.meta.url);

/** Folder of this copy's code. */
export const CODE = new URL('../', import.meta.url);

/**
 * The entries that other processes and threads load; `scripts/entries.js` has the build make them.
 */
export type Entry =
  | 'connection/index'
  | 'descriptors/dup-fd'
  | 'distributed/worker/preload'
  | 'distributed/worker/run-task'
  | 'managers/index'
  | 'managers/client/keys'
  | 'managers/server/server-process'
  | 'memory/heap'
  | 'memory/index'
  | 'native/index'
  | 'native/threads/kernel-thread'
  | 'operators/remote-run'
  | 'pool/wire/carried-stores'
  | 'pool/worker/thread-entry'
  | 'pool/worker/worker'
  | 'process/child/child'
  | 'process/forkserver/server/template'
  | 'queues/index'
  | 'reduction/index'
  | 'reduction/receiving'
  | 'shared-map/index'
  | 'shared-memory/index'
  | 'shared-memory/tracker'
  | 'share/shared'
  | 'sharedctypes/index'
  | 'synchronize/index';

/**
 * URL of an entry of this copy. They are CommonJS: a program starts without the loader of ES
 * modules.
 */
export function entry(name: Entry): URL {
  return new URL(`${name}.cjs`, CODE);
}

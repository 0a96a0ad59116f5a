/**
 * Functions and classes across processes.
 *
 * Sending
 *   reduce        which way a function goes          by-value      its text and captures
 *   analysis      what a text needs                  captures      what its names hold
 *   inspector     what V8 knows of a function        locate        where it was written
 *   enclosing     what the script around says        cells         variables that functions share
 *   references    what goes by reference             imported      captures that other modules export
 *   globals, builtins, commonjs, namespaces, library-exports, exports         values by identity
 *   shared-search what leads to a shared object      copyable      what can go by value
 *   receiver      the outer `this` of an arrow       task          captures named by hand
 *   source-maps   positions in compiled code
 * Receiving
 *   modules       what must be loaded first          rebuild       text and captures to a function
 *   import-resolution  specifier to file, at once
 *   compile       text to factory                    kinds         references, bound functions, proxies
 *   provenance    how a rebuilt function is sent on  namespace-overlay  a module with members of the sender
 */
import { forgetCells } from './cells.js';
import { indexOncePerMessage } from './commonjs.js';
import { endSession, keepSession } from './inspector.js';

export { functionKinds, loadedModule, loadModules, loadModulesSync } from './receiving.js';
export { reduceFunction } from './reduce.js';
export { reduceReference } from './references.js';
export { mapStack } from './source-maps.js';
export { type TaskFunction, task } from './task.js';

/** A message begins, whose functions are looked at one after the other. */
export function beginMessage(): void {
  indexOncePerMessage(true);
  keepSession();
}

/** The message is written: nothing of it stays. */
export function endMessage(): void {
  indexOncePerMessage(false);
  forgetCells();
  endSession();
}

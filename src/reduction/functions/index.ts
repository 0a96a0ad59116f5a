/**
 * Functions and classes across processes.
 *
 * Sending
 *   reduce        which way a function goes          by-value      its text and captures
 *   analysis      what a text needs                  captures      what its names hold
 *   inspector     what V8 knows of a function        locate        where it was written
 *   enclosing     what the script around says        cells         variables that functions share
 *   globals, builtins, exports                       what goes by reference
 *   receiver      the outer `this` of an arrow       task          captures named by hand
 *   source-maps   positions in compiled code
 * Receiving
 *   modules       what must be loaded first          rebuild       text and captures to a function
 *   import-resolution  specifier to file, at once
 *   compile       text to factory                    kinds         references, bound functions, proxies
 *   provenance    how a rebuilt function is sent on
 */
import { forgetCells } from './cells.js';
import { endSession, keepSession } from './inspector.js';

export { functionKinds, loadedModule, loadModules, loadModulesSync } from './receiving.js';
export { hiddenParts, reduceFunction, reduceReference } from './reduce.js';
export { mapStack } from './source-maps.js';
export { type TaskFunction, task } from './task.js';

/** A message begins, whose functions are looked at one after the other. */
export const beginMessage = keepSession;

/** The message is written: nothing of it stays. */
export function endMessage(): void {
  forgetCells();
  endSession();
}

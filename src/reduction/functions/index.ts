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
 * Receiving
 *   modules       what must be loaded first          rebuild       text and captures to a function
 *   compile       text to factory                    kinds         references, bound functions, proxies
 *   provenance    how a rebuilt function is sent on
 */
import type { NodeKind } from '../node.js';
import { boundKind, globalKind, moduleKind, proxyKind } from './kinds.js';
import { classKind, functionKind } from './rebuild.js';
import { taskKind } from './task.js';

export { loadedModule, loadModules, loadModulesSync } from './modules.js';
export { reduceFunction, reduceReference } from './reduce.js';
export { type TaskFunction, task } from './task.js';

/** Everything that {@link reduceFunction} may name as a kind. */
export const functionKinds: readonly NodeKind[] = [functionKind, classKind, globalKind, moduleKind, boundKind, proxyKind, taskKind];

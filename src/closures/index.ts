/**
 * Functions and classes across processes.
 *
 * Sending
 *   reduce        which way a function goes          by-value      its text and captures
 *   analysis      what a text needs                  captures      what its names hold
 *   session, debugger   V8's inspector; scripts and stack
 *   inspector     what V8 knows of a function        locate        where it was written
 *   enclosing     what the script around says        cells         variables that functions share
 *   references    what goes by reference             imported      captures that other modules export
 *   globals, builtins, commonjs, namespaces, library-exports, exports         values by identity
 *   shared-search what leads to a shared object      copyable      what can go by value
 *   class-members, class-now   classes as they are now
 *   hidden-parts  WeakMaps of instances              coverage      counters of instrumented code
 *   glance, long-script, region   long scripts without a parser, or a function of them
 *   loadable      what only a test runner can load
 *   script-source what V8 keeps of a script          weak-size     entries of a WeakMap
 *   receiver      the outer `this` of an arrow       task          captures named by hand
 *   source-maps, host-frame   positions in compiled code
 * Receiving
 *   modules       what must be loaded first          rebuild       text and captures to a function
 *   import-resolution  specifier to file, at once
 *   compile       text to factory                    kinds         references, bound functions, proxies
 *   provenance    how a rebuilt function is sent on  namespace-overlay  a module with members of the sender
 */

import { enterMessage, leaveMessage } from '../codec/function-port.js';
import type { ModuleData, ModuleExport } from '../modules/module-request.js';
import { endSession, keepSession } from './inspect/session.js';
import { indexOncePerMessage } from './references/commonjs.js';
import { forgetCells } from './send/cells.js';
import { reduceExactly } from './send/reduce.js';
import { beginWork } from './send/work.js';

export { declaresPrivates } from './analysis/private-members.js';
export { mapStack } from './inspect/source-maps.js';
export { weakSize } from './inspect/weak-size.js';
export { functionKinds, loadedModule, loadModules, loadModulesSync } from './receiving.js';
export { reduceReference } from './references/references.js';
export { hiddenParts, reduceFunction } from './send/reduce.js';
export { type TaskFunction, task, taskParts } from './task.js';

/** A message begins, whose functions are looked at one after the other. */
export function beginMessage(): void {
  indexOncePerMessage(true);
  beginWork();
  keepSession();
}

/** The message is written: nothing of it stays. */
export function endMessage(): void {
  indexOncePerMessage(false);
  forgetCells();
  endSession();
}

/**
 * The export of a module that a function is, where it goes by reference; `null` where it goes by
 * value, or is no export of a file.
 * @throws SerializationError, where it cannot be sent.
 */
export function exportReference(fn: Function): ModuleExport | null {
  enterMessage();
  try {
    const { kind, data } = reduceExactly(fn);
    if (kind !== 'module') return null;
    const { keys, ...reference } = data as ModuleData;
    return keys === undefined ? reference : null;
  } finally {
    leaveMessage();
  }
}

/** The receiving half, which a process that starts up can load without the sending half. */
import type { NodeKind } from '../codec/node.js';
import { boundKind, globalKind, moduleKind, proxyKind, variableKind } from './kinds.js';
import { classKind, functionKind } from './receive/rebuild.js';
import { taskKind } from './task.js';

export { inTurn, loadedModule, loadModules, loadModulesSync } from '../modules/load-modules.js';

/** Everything that `reduceFunction` may name as a kind. */
export const functionKinds: readonly NodeKind[] = [
  functionKind,
  classKind,
  globalKind,
  moduleKind,
  boundKind,
  proxyKind,
  variableKind,
  taskKind,
];

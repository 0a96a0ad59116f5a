/** The receiving half, which a process that starts up can load without the sending half. */
import type { NodeKind } from '../node.js';
import { boundKind, globalKind, moduleKind, proxyKind } from './kinds.js';
import { classKind, functionKind } from './rebuild.js';
import { taskKind } from './task.js';

export { inTurn, loadedModule, loadModules, loadModulesSync } from './modules.js';

/** Everything that `reduceFunction` may name as a kind. */
export const functionKinds: readonly NodeKind[] = [functionKind, classKind, globalKind, moduleKind, boundKind, proxyKind, taskKind];

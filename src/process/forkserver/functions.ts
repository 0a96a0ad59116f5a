/** The module's functions, as Python has them: the methods of the one {@link forkserver}. */
import { type Forkserver, forkserver } from './forkserver.js';

/** See {@link Forkserver.ensureRunning}. */
export const ensureRunning: Forkserver['ensureRunning'] = () => forkserver.ensureRunning();
/** See {@link Forkserver.connectToNewProcess}. */
export const connectToNewProcess: Forkserver['connectToNewProcess'] = (options, onEnd) => forkserver.connectToNewProcess(options, onEnd);
/** See {@link Forkserver.getInheritedFds}. */
export const getInheritedFds: Forkserver['getInheritedFds'] = () => forkserver.getInheritedFds();
/**
 * Names modules that the template of the start method `forkserver` loads before it forks, so that
 * its children have them at once. See {@link Forkserver.setForkserverPreload}.
 */
export const setForkserverPreload: Forkserver['setForkserverPreload'] = (names, options) => forkserver.setForkserverPreload(names, options);

/** Processes. Python: `multiprocess.process`. */

export { AuthenticationKey } from './authkey.js';
export { activeChildren, type CurrentProcess, cpuCount, currentProcess, ParentProcess, parentProcess } from './current.js';
export { type JoinOptions, Process, type ProcessOptions, type Target } from './process.js';
export { Sentinel } from './sentinel.js';
export { type ContextLike, getStartMethod, type MethodHolder, type StartMethod, setStartMethod } from './start-method.js';

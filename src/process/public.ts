/** Processes. Python: `multiprocess.process`. */

export { AuthenticationKey } from './authentication-key.js';
export { activeChildren, type CurrentProcess, cpuCount, currentProcess, ParentProcess, parentProcess } from './current.js';
export { Process } from './process.js';
export type { JoinOptions, ProcessOptions, Target } from './process-options.js';
export { Sentinel } from './sentinel.js';
export { type ContextLike, getStartMethod, type MethodHolder, type StartMethod, setStartMethod } from './start-method.js';

/**
 * Values to bytes and back, functions and descriptors included. Python:
 * `multiprocessing.reduction`, with dill's part.
 *
 * @packageDocumentation
 */

// What would be sent

export { explain } from '../closures/explain/explain.js';
export { type Capture, Explanation, type Problem } from '../closures/explain/explanation.js';

// How functions and classes are sent

export { type TaskFunction, task } from '../closures/index.js';
export { type Reduced, register } from '../codec/kinds/reduced.js';

// Descriptors

export { DupFd } from '../descriptors/dup-fd.js';
export { recvFds, recvHandle, type SocketLike, sendFds, sendHandle } from '../descriptors/pass.js';

// Bytes that can be kept

export { dump, dumps, loads, loadsAsync } from './index.js';

// How peers agree to write values

export type { Serializer, SerializerOption } from './serializer.js';

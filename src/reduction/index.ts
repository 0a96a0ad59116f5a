/** Values to bytes and back: any value, functions and classes included. */

// For the layers above: messages in memory of their own
export { Decoder, Encoder, type Message, PendingValue } from './codec.js';
// Bytes that can be kept
export { dump, dumps, loads, loadsAsync } from './dumps.js';
export { setFunctionReducer } from './function-seam.js';
// How a class is sent
export { type Reduced, register } from './kinds/reduced.js';
export { loadedModule } from './modules.js';
export type { Built, ModuleRequest, NodeKind, Reduction } from './node.js';
export { registerKind } from './table/registry.js';

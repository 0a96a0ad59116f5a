/** Values to bytes and back: any value, functions and classes included. */

import {
  beginMessage,
  declaresPrivates,
  endMessage,
  functionKinds,
  hiddenParts,
  reduceFunction,
  reduceReference,
  weakSize,
} from '../closures/index.js';
import { setFunctionReducer } from '../codec/function-port.js';
import { registerKind } from '../codec/graph/registry.js';

export { explain } from '../closures/explain/explain.js';
export { type Capture, Explanation, type Problem } from '../closures/explain/explanation.js';
export { LARGE_CAPTURE, warnAboutCaptures } from '../closures/explain/large-capture.js';
// Functions
export { exportReference, loadedModule, mapStack, type TaskFunction, task } from '../closures/index.js';
// For the layers above: who refused
export { atEarlierCall, inCall, isLibraryFrame } from '../codec/caller.js';
// Messages in memory of their own
export { Decoder, Encoder, encodingForWorker, type Message, PendingValue } from '../codec/codec.js';
// Code that goes to a receiver once
export { CodeBook, codeBlock, KnownCodes } from '../codec/graph/code-book.js';
export { type CodeLookup, CodeTable } from '../codec/graph/code-table.js';
// What a message would rebuild
export { kindsIn } from '../codec/graph/graph-reader.js';
export { borrowEncoder, returnEncoder } from '../codec/idle-encoder.js';
// Errors that hold what cannot be sent
export { isError } from '../codec/kinds/errors.js';
// How a class is sent
export { type Reduced, register, SHAREABLE } from '../codec/kinds/reduced.js';
export { sendableError } from '../codec/kinds/sendable-error.js';
export { withoutSockets } from '../codec/kinds/sockets.js';
export type { CodeRecord } from '../codec/message.js';
export type { Built, NodeKind, Reduction } from '../codec/node.js';
// Descriptors
export { DupFd } from '../descriptors/dup-fd.js';
export { declineOffer, obtainDescriptor, type Passage, StandingOffer } from '../descriptors/offer.js';
export { recvFds, recvHandle, type SocketLike, sendFds, sendHandle } from '../descriptors/pass.js';
export { resolveImport } from '../modules/import-resolution.js';
export type { ModuleRequest } from '../modules/module-request.js';
// Bytes that can be kept
export { dump, dumps, loads, loadsAsync } from './dumps.js';
// How peers agree to write values
export {
  encodeWith,
  MULTIPROCESS,
  optionOf,
  type Serializer,
  type SerializerOption,
  serializerOf,
} from './serializer.js';
export { registerKind, setFunctionReducer };

for (const kind of functionKinds) registerKind(kind);
setFunctionReducer(reduceFunction, reduceReference, {
  begin: beginMessage,
  end: endMessage,
  declaresPrivates,
  hiddenParts,
  weakSize,
});

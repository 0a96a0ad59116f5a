/** Values to bytes and back: any value, functions and classes included. */

import { setFunctionReducer } from './function-seam.js';
import { beginMessage, endMessage, functionKinds, reduceFunction, reduceReference } from './functions/index.js';
import { registerKind } from './table/registry.js';

// For the layers above: who refused
export { atEarlierCall, inCall } from './caller.js';
// Messages in memory of their own
export { Decoder, Encoder, encodingForWorker, type Message, PendingValue } from './codec.js';
// Bytes that can be kept
export { dump, dumps, loads, loadsAsync } from './dumps.js';
export { explain } from './explain.js';
export { type Capture, Explanation, type Problem } from './explanation.js';
// Functions
export { loadedModule, mapStack, type TaskFunction, task } from './functions/index.js';
// Descriptors
export { DupFd } from './handles/dup-fd.js';
export { declineOffer, obtainDescriptor, type Passage, StandingOffer } from './handles/offer.js';
export { recvFds, recvHandle, type SocketLike, sendFds, sendHandle } from './handles/pass.js';
// Errors that hold what cannot be sent
export { isError, sendableError } from './kinds/errors.js';
// How a class is sent
export { type Reduced, register } from './kinds/reduced.js';
export { withoutSockets } from './kinds/sockets.js';
export { LARGE_CAPTURE, warnAboutCaptures } from './large-capture.js';
export type { Built, ModuleRequest, NodeKind, Reduction } from './node.js';
// How peers agree to write values
export { encodeWith, MULTIPROCESS, optionOf, type Serializer, type SerializerOption, serializerOf } from './serializer.js';
// Code that goes to a receiver once
export { CodeBook, codeBlock, KnownCodes } from './table/code-book.js';
export { type CodeLookup, CodeTable } from './table/code-table.js';
export type { CodeRecord } from './wire/message.js';
export { registerKind, setFunctionReducer };

for (const kind of functionKinds) registerKind(kind);
setFunctionReducer(reduceFunction, reduceReference, { begin: beginMessage, end: endMessage });

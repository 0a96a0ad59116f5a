/**
 * The codec as a process needs it that was just started: functions can be received, but not sent
 * until {@link loadSending} was awaited (or somebody imported the package). Reading closures takes
 * thirty more modules, which most children never need.
 */

import { functionKinds, inTurn } from '../closures/receiving.js';
import { deferSending } from '../codec/function-port.js';
import { registerKind } from '../codec/graph/registry.js';

export { inCall } from '../codec/caller.js';
export { Decoder, Encoder, PendingValue } from '../codec/codec.js';
export { sendsFunctions } from '../codec/function-port.js';
export { CodeBook, codeBlock, KnownCodes } from '../codec/graph/code-book.js';
export { type CodeLookup, CodeTable } from '../codec/graph/code-table.js';
export { isError } from '../codec/kinds/errors.js';
export { sendableError } from '../codec/kinds/sendable-error.js';
export { withoutSockets } from '../codec/kinds/sockets.js';
export type { CodeRecord } from '../codec/message.js';
export { isShortPrimitive, putShort } from '../codec/plain/primitives.js';

deferSending();
for (const kind of functionKinds) registerKind(kind);

/** Loads what sending functions takes. */
export async function loadSending(): Promise<void> {
  await inTurn(() => import('./index.js'));
}

/**
 * The codec as a process needs it that was just started: functions can be received, but not sent until {@link loadSending} was
 * awaited (or somebody imported the package). Reading closures takes thirty more modules, which most children never need.
 */
import { deferSending } from './function-seam.js';
import { functionKinds, inTurn } from './functions/receiving.js';
import { registerKind } from './table/registry.js';

export { inCall } from './caller.js';
export { Decoder, Encoder, PendingValue } from './codec.js';
export { sendsFunctions } from './function-seam.js';
export { isError, sendableError } from './kinds/errors.js';
export { withoutSockets } from './kinds/sockets.js';
export { CodeBook, codeBlock, KnownCodes } from './table/code-book.js';
export { type CodeLookup, CodeTable } from './table/code-table.js';
export type { CodeRecord } from './wire/message.js';

deferSending();
for (const kind of functionKinds) registerKind(kind);

/** Loads what sending functions takes. */
export async function loadSending(): Promise<void> {
  await inTurn(() => import('./index.js'));
}

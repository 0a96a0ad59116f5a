import type { AsyncLocalStorage } from 'node:async_hooks';
import { inCall } from '../../reduction/index.js';
import type { CallContextData } from '../wire/call-context.js';
import { traceOfCaller } from '../wire/trace-context.js';
import { type EncodedMessage, encodeNow } from './encoded-items.js';

/**
 * What travels with a call, as it is now; `null` for nothing.
 * @throws SerializationError for the value of a store that cannot be sent.
 */
export function callerValues(actor: string, stores: readonly AsyncLocalStorage<unknown>[]): EncodedMessage | null {
  const trace = traceOfCaller();
  if (trace === null && stores.length === 0) return null;
  const data: CallContextData = [stores.map((store) => [store, store.getStore()] as const), trace];
  try {
    return encodeNow(data);
  } catch (error) {
    throw inCall(error, actor, (path) =>
      path.replace(/(^| <- )\[1\] <- \[(\d+)\] <- \[0\]$/, '$1the value of stores[$2]'),
    );
  }
}

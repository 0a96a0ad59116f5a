/** What travels with a call beside its arguments: the values of stores, the trace of its caller. */
import type { AsyncLocalStorage } from 'node:async_hooks';
import { type TraceCarrier, withinTrace } from './trace-context.js';

/** As it is encoded. */
export type CallContextData = readonly [
  stores: readonly (readonly [AsyncLocalStorage<unknown>, unknown])[],
  trace: TraceCarrier | null,
];

/** As a worker has it. */
export class CallContext {
  /** The caller's trace context; `null` without a tracer there. */
  readonly trace: TraceCarrier | null;
  readonly #stores: CallContextData[0];

  constructor([stores, trace]: CallContextData) {
    this.#stores = stores;
    this.trace = trace;
  }

  /** Calls `fn` in it. */
  run<R>(fn: () => R): R {
    let inner = fn;
    for (const [store, value] of this.#stores) {
      const within = inner;
      inner = () => store.run(value, within);
    }
    return this.trace === null ? inner() : withinTrace(this.trace, inner);
  }
}

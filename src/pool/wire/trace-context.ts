/**
 * The W3C trace context (`traceparent`, `tracestate`) of a caller, where a tracer is there.
 *
 * A tracer of OpenTelemetry registers its parts on globalThis, under the symbol of its API's first
 * version; it writes its context into a carrier, and reads it there, in the forms that the program
 * chose. Nothing of it is loaded here.
 */

/** What a propagator wrote: names and values of headers. */
export type TraceCarrier = Record<string, string>;

interface OpenTelemetry {
  readonly context?: { active(): unknown; with<R>(context: unknown, fn: () => R): R };
  readonly propagation?: {
    inject(
      context: unknown,
      carrier: TraceCarrier,
      setter: { set(carrier: TraceCarrier, key: string, value: string): void },
    ): void;
    extract(
      context: unknown,
      carrier: TraceCarrier,
      getter: { get(carrier: TraceCarrier, key: string): string | undefined; keys(carrier: TraceCarrier): string[] },
    ): unknown;
  };
}

const API = Symbol.for('opentelemetry.js.api.1');
const scope = globalThis as { [API]?: OpenTelemetry };

/** The trace context of the caller; `null` without a tracer, or outside of a trace. */
export function traceOfCaller(): TraceCarrier | null {
  const api = scope[API];
  if (api?.propagation === undefined || api.context === undefined) return null;
  const carrier: TraceCarrier = {};
  api.propagation.inject(api.context.active(), carrier, { set: (to, key, value) => (to[key] = value) });
  return Object.keys(carrier).length === 0 ? null : carrier;
}

/** Calls `fn` within a trace, if a tracer is here. */
export function withinTrace<R>(carrier: TraceCarrier, fn: () => R): R {
  const api = scope[API];
  if (api?.propagation === undefined || api.context === undefined) return fn();
  const context = api.propagation.extract(api.context.active(), carrier, {
    get: (from, key) => from[key],
    keys: Object.keys,
  });
  return api.context.with(context, fn);
}

/**
 * Timers and clocks as Node gives them, taken once, when the library is loaded: a test runner that
 * fakes those of the program (`vi.useFakeTimers()`, sinon, jest, `mock.timers` of node:test) must
 * not stop pools, queues and locks. Every file takes them from here; biome refuses the global ones.
 *
 * Not Node's module of the same name alone: sinon and vitest fake what that exports too. Their
 * fakes have the clock that keeps the original.
 */
import * as node from 'node:timers';

type Fake = { readonly clock?: Readonly<Record<string, unknown>> };

/** What a fake stands for; anything else is returned as it is. */
function real<T>(name: string, given: T): T {
  return ((given as Fake).clock?.[`_${name}`] as T | undefined) ?? given;
}

export const setTimeout: typeof globalThis.setTimeout = real('setTimeout', node.setTimeout);
export const clearTimeout: typeof globalThis.clearTimeout = real('clearTimeout', node.clearTimeout);
export const setInterval: typeof globalThis.setInterval = real('setInterval', node.setInterval);
export const clearInterval: typeof globalThis.clearInterval = real('clearInterval', node.clearInterval);
export const setImmediate: typeof globalThis.setImmediate = real('setImmediate', node.setImmediate);
export const clearImmediate: typeof globalThis.clearImmediate = real('clearImmediate', node.clearImmediate);
export const queueMicrotask: typeof globalThis.queueMicrotask = real('queueMicrotask', globalThis.queueMicrotask);
export const nextTick: typeof process.nextTick = real('nextTick', process.nextTick);

let measure: (() => number) | null = null;

/**
 * Node's module of clocks when it is used: loading it takes a start 0.8 ms. Fakes replace the
 * global object, not this one. In Bun the method is the object's own.
 */
function load(): () => number {
  const { performance: clock } = process.getBuiltinModule('node:perf_hooks');
  const { now = clock.now } = Object.getPrototypeOf(clock) as Partial<typeof clock>;
  return now.bind(clock);
}

/**
 * Milliseconds from a point that stays the same for this thread, and for all forks of a template.
 */
export const performance: { readonly now: () => number } = {
  now: () => {
    measure ??= load();
    return measure();
  },
};

/** The time of day, ms since 1970. */
export const timeOfDay: () => number = real('Date', globalThis.Date).now;

/**
 * Modules that a child loads on behalf of its parent. What one of them starts while it loads, or
 * afterwards out of what it began then (a timer, an `async` function that nobody awaits), would be
 * started again in each child of every child: process/child/bootstrapping.ts refuses it.
 *
 * Which code belongs to such a load, its async context tells: the context follows timers and
 * promises. On Node 20 and 22 that makes each promise dearer (0.3 µs), so the storage is disabled
 * again after a load that has left nothing under way.
 */
import type { AsyncLocalStorage } from 'node:async_hooks';
import { hasBegun } from './starting.js';
import { setImmediate, setTimeout } from './timers.js';

/** Every copy of the package in a process must see the same loads. */
const LOADING = Symbol.for('multiprocess.loading');

interface Loads {
  readonly storage: AsyncLocalStorage<true>;
  /** Loads under way, and those whose remains have not been counted. */
  pending: number;
  /** What was under way before the first of them. */
  before: number;
}

const scope = globalThis as { [LOADING]?: Loads };

/** Loads a module for the parent, where this process is a child. Elsewhere it just loads it. */
export function loadForParent<T>(load: () => Promise<T>): Promise<T> {
  return hasBegun() ? whileLoading(load) : load();
}

/** As {@link loadForParent}, for `require`. */
export function loadForParentSync<T>(load: () => T): T {
  return hasBegun() ? marked(load, settled) : load();
}

/** Marks what `load` does, and whatever that begins, as a load for the parent. */
export function whileLoading<T>(load: () => Promise<T>): Promise<T> {
  return marked(load, (promise) => void promise.then(settled, settled));
}

/** Whether the code that asks belongs to a load for the parent. */
export function isLoading(): boolean {
  return scope[LOADING]?.storage.getStore() === true;
}

/**
 * @param then Called with what `load` returned: has {@link settled} called when all of it is
 * loaded.
 */
function marked<T>(load: () => T, then: (result: T) => void): T {
  scope[LOADING] ??= {
    storage: new (process.getBuiltinModule('node:async_hooks').AsyncLocalStorage)(),
    pending: 0,
    before: 0,
  };
  const loads = scope[LOADING];
  if (loads.pending++ === 0) loads.before = underWay();
  let result: T;
  try {
    result = loads.storage.run(true, load);
  } catch (error) {
    settled();
    throw error;
  }
  then(result);
  return result;
}

/** Milliseconds after which it is looked again whether what loads began is over. */
const LOOK_AGAIN_MS = [1, 10, 100, 1_000];

/**
 * Disables the storage on the loop's next turn, unless the loads have left something under way.
 * What they read themselves may take some turns more, so it is looked again a few times.
 */
function settled(): void {
  setImmediate(() => {
    scope[LOADING]!.pending--;
    disableWhenOver(0);
  }).unref();
}

function disableWhenOver(looks: number): void {
  const { storage, pending, before } = scope[LOADING]!;
  if (pending > 0) return;
  if (underWay() <= before) storage.disable();
  else if (looks < LOOK_AGAIN_MS.length) setTimeout(() => disableWhenOver(looks + 1), LOOK_AGAIN_MS[looks]!).unref();
}

/** Timers, requests and handles that keep the event loop alive. */
function underWay(): number {
  return process.getActiveResourcesInfo().length;
}

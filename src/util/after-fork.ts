import { ArgumentError } from '../errors/index.js';
import { describe } from './options.js';

type Callback = (object: never) => void;

/** In the order of registration. */
const entries = new Map<number, WeakRef<object>>();
/**
 * What is called for an object, by the number of its entry. With the object as its key a callback
 * may refer to it, by what its scope holds or otherwise, and both are collected all the same.
 */
const callbacks = new WeakMap<object, Map<number, Callback>>();
let serial = 0;
const dead = new FinalizationRegistry<number>((id) => void entries.delete(id));

/**
 * Has `callback(object)` called in every child that is forked from this process, before anything
 * else runs there.
 *
 * Semantics: callbacks run in the order of their registration. The object is held weakly, the
 * callback for as long as the object: when it has been collected, nothing is called. Children that
 * are started afresh (spawn, threads) have nothing to take over and call nothing.
 *
 * Python: `multiprocess.util.register_after_fork`.
 * @example
 * // node --single-threaded --v8-pool-size=1
 * import { getContext } from 'multiprocess';
 * import { registerAfterFork } from 'multiprocess/util';
 *
 * const cache = new Map([['row', 1]]);
 * registerAfterFork(cache, (own) => own.clear());
 * const { Process } = getContext('fork');
 * const child = await new Process(() => console.log('in the fork', cache.size)).start();
 * await child.join();
 * console.log('here', cache.size); // in the fork 0 here 1
 */
export function registerAfterFork<T extends object>(object: T, callback: (object: T) => void): void {
  if (typeof object !== 'object' && typeof object !== 'function')
    throw new ArgumentError(`registerAfterFork: the first argument must be an object, not ${describe(object)}.`);
  if (typeof callback !== 'function')
    throw new ArgumentError(`registerAfterFork: \`callback\` must be a function, not ${describe(callback)}.`);
  const id = serial++;
  const own = callbacks.get(object) ?? new Map<number, Callback>();
  own.set(id, callback);
  callbacks.set(object, own);
  entries.set(id, new WeakRef(object));
  dead.register(object, id);
}

/** Called in the parent before a fork of the running program. */
const before: (() => void)[] = [];

/**
 * Has `prepare()` called before this program is copied: what the copy will share with it must be
 * fit for that.
 */
export function registerBeforeFork(prepare: () => void): void {
  before.push(prepare);
}

/** Before a fork of the running program: calls what was registered. */
export function runBeforeFork(): void {
  for (const prepare of before) prepare();
}

/**
 * How many forks lie between this process and the first of its family that loaded this module. An
 * object: bundles share it.
 */
export const lineage = { generation: 0 };

/**
 * In a process that was just forked: calls what was registered. What a callback throws is printed.
 */
export function runAfterFork(): void {
  lineage.generation++;
  for (const [id, object] of [...entries]) {
    const living = object.deref();
    if (living === undefined) continue;
    try {
      callbacks.get(living)!.get(id)!(living as never);
    } catch (error) {
      console.error(error);
    }
  }
}

/** How many callbacks are registered. */
export function afterForkCount(): number {
  return entries.size;
}

import { ArgumentError } from '../errors/index.js';
import { registerAfterFork } from './after-fork.js';
import { atExit } from './at-exit.js';
import { subDebug } from './logger.js';
import { checkOptions, describe } from './options.js';

/** Options of a {@link Finalize}. */
export interface FinalizeOptions<A extends unknown[]> {
  /** Arguments of the callback. Default: none. */
  readonly args?: A | undefined;
  /**
   * Have it run at exit: a higher priority first, of equal ones the newest first. An integer.
   * Default: not run at exit.
   */
  readonly exitPriority?: number | undefined;
}

interface Work {
  readonly callback: (...args: never[]) => unknown;
  readonly args: unknown[];
  readonly exitPriority: number | null;
  readonly pid: number;
}

/** What is still to be done, by serial number: a newer one has a higher number. */
const registry = new Map<number, Work>();
let serial = 0;
let watched = false;

/**
 * Objects that died. Their finalizer is known by its number only: it must not keep the callback
 * after `cancel()`.
 */
const dead = new FinalizationRegistry<number>((id) => void perform(id));

/**
 * Cleaning up that happens at most once: when it is called, when an object has been garbage
 * collected, or at exit.
 *
 * Semantics: the callback must not refer to the object, which would then never be collected. It
 * runs only in the process (and thread) that made the finalizer: one inherited by a forked child
 * does nothing there. At exit only finalizers with an `exitPriority` run, before children are ended
 * from 0 on, afterwards below; they must be synchronous. What a callback throws at exit is printed
 * and the next one runs.
 *
 * Python: `multiprocess.util.Finalize(obj, callback, args, exitpriority=…)`; calling the object is
 * `call()`.
 *
 * @example
 * import { Finalize } from 'multiprocess/util';
 *
 * const done = new Finalize(null, () => console.log('removed'), { exitPriority: 10 }); // removed
 * done.call(); // now, and not again at exit
 */
export class Finalize<A extends unknown[] = [], R = unknown> {
  readonly #id = serial++;

  /**
   * @param object Runs the callback when this is collected; `null` for none.
   * @throws ArgumentError for neither an object nor a priority, or a callback that is no function.
   */
  constructor(object: object | null, callback: (...args: A) => R, options: FinalizeOptions<A> = {}) {
    checkOptions('Finalize', options, ['args', 'exitPriority']);
    const { args, exitPriority } = options;
    if (typeof callback !== 'function')
      throw new ArgumentError(`Finalize: \`callback\` must be a function, not ${describe(callback)}.`);
    if (object !== null && typeof object !== 'object' && typeof object !== 'function')
      throw new ArgumentError(`Finalize: the first argument must be an object or null, not ${describe(object)}.`);
    if (exitPriority !== undefined && !Number.isInteger(exitPriority))
      throw new ArgumentError(`Finalize: \`exitPriority\` must be an integer, not ${describe(exitPriority)}.`);
    if (object === null && exitPriority === undefined)
      throw new ArgumentError('Finalize: without an object it would never run; give it an `exitPriority`.');
    registry.set(this.#id, { callback, args: args ?? [], exitPriority: exitPriority ?? null, pid: process.pid });
    if (object !== null) dead.register(object, this.#id, this);
    if (exitPriority !== undefined) watchExit();
  }

  /**
   * Runs the callback unless it ran, was cancelled, or belongs to another process; returns its
   * value, otherwise `undefined`.
   */
  call(): R | undefined {
    dead.unregister(this);
    return perform(this.#id) as R | undefined;
  }

  /** Takes it back: the callback will not run. */
  cancel(): void {
    dead.unregister(this);
    registry.delete(this.#id);
  }

  /** Whether the callback is still to run. */
  stillActive(): boolean {
    return registry.has(this.#id);
  }
}

/**
 * Runs the finalizers with a priority of at least `least` (default: any), the highest first, equal
 * ones newest first.
 */
export function runFinalizers(least = Number.NEGATIVE_INFINITY): void {
  const due = [...registry].filter(([, { exitPriority }]) => exitPriority !== null && exitPriority >= least);
  due.sort(([a, one], [b, other]) => other.exitPriority! - one.exitPriority! || b - a);
  for (const [id] of due) {
    try {
      perform(id);
    } catch (error) {
      console.error(error);
    }
  }
}

function perform(id: number): unknown {
  const work = registry.get(id);
  if (work === undefined) return undefined;
  registry.delete(id);
  if (work.pid !== process.pid) {
    subDebug('finalizer ignored: it belongs to process %d', work.pid);
    return undefined;
  }
  subDebug('finalizer calling %s', work.callback.name);
  return work.callback(...(work.args as never[]));
}

function watchExit(): void {
  if (watched) return;
  watched = true;
  atExit('first', () => runFinalizers(0));
  atExit('last', () => runFinalizers());
  registerAfterFork(registry, (inherited) => {
    inherited.clear();
    watched = false;
  });
}

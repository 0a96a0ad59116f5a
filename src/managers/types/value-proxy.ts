import type { TaskStream } from '../../streams/index.js';
import { BaseProxy } from '../proxy.js';
import { Assignments } from './assignments.js';
import type { WatchOptions } from './change-log.js';

/**
 * A manager's `Value`, in a client.
 *
 * Semantics: `await v.value` gives a copy. `v.value = x` is sent at once, before whatever this
 * process asks the server next; `settled()` tells whether it arrived. `await v.set(x)` is both in
 * one.
 *
 * Python: `SyncManager.Value`.
 *
 * @example
 * import { manager } from 'multiprocess';
 *
 * await using m = await manager();
 * const total = await m.Value('i', 0);
 * await total.update((n) => n + 1);
 * console.log(await total.value); // 1
 */
export class ValueProxy<T = unknown> extends BaseProxy<T> {
  readonly #assigned = new Assignments();

  /** The value. */
  get value(): Promise<T> {
    return this.get();
  }

  /** Sets the value, without waiting. See {@link settled}. */
  set value(value: T) {
    this.#assigned.add(this.set(value));
  }

  /** Waits for what was assigned. Rejects with the first failure since it was asked last. */
  settled(): Promise<void> {
    return this.#assigned.settled();
  }

  /** Returns the value. */
  get(): Promise<T> {
    return this.callMethod<T>('get');
  }

  /** Sets the value. */
  set(value: T): Promise<void> {
    return this.callMethod<void>('set', [value]);
  }

  /**
   * Sets the value to what `fn` makes of it, which runs in the server, with nobody in between.
   * @returns the new value.
   */
  update(fn: (value: T) => T): Promise<T> {
    return this.callMethod<T>('update', [fn]);
  }

  /** What it was made as. */
  declare readonly type: Promise<string>;

  /**
   * Returns the value, and then each that it is set to. See `DictProxy.watch`; with `lag:
   * 'drop-oldest'` nothing tells of those that were dropped.
   */
  watch(options?: WatchOptions): TaskStream<T> {
    return this.callStream('watch', [options]);
  }
}

import type { PullSource } from '../../streams/index.js';
import { checkFunction } from '../../util/options.js';
import { ChangeLog, type WatchOptions } from './change-log.js';
import { once } from './contents.js';

/**
 * The value that a manager's `Value(type, value)` makes, in the server.
 *
 * Semantics: it holds anything that can be sent; the type is kept and means nothing else, as in
 * Python.
 *
 * Python: `SyncManager.Value`.
 */
export class ManagedValue<T = unknown> {
  readonly #type: string;
  readonly #changes = new ChangeLog<T>('Value.watch', { state: () => this.#value });
  #value: T;

  /** @param type What the value is, a type code of Python's, say. @param value At first. */
  constructor(type: string, value: T) {
    this.#type = type;
    this.#value = value;
  }

  /** What it was made as. */
  get type(): string {
    return this.#type;
  }

  /** Returns the value: a copy for the client, unless it is a proxy. */
  get(): T {
    return this.#value;
  }

  /** Sets the value. */
  set(value: T): Promise<void> | undefined {
    this.#value = value;
    return this.#changes.watched ? this.#changes.add(value) : undefined;
  }

  /**
   * Sets the value to what `fn` makes of it, in the server, with nobody in between.
   * @returns the new value.
   */
  update(fn: (value: T) => T): T | Promise<T> {
    checkFunction('Value.update', 'fn', fn);
    const value = fn(this.#value);
    return once(this.set(value), value);
  }

  /** Returns the value, and then each that it is set to. */
  watch(options?: WatchOptions): PullSource<T> {
    return this.#changes.watch(options);
  }

  /** `Value('i', 42)`. */
  toString(): string {
    return `Value('${this.#type}', ${String(this.#value)})`;
  }
}

import { inspect } from 'node:util';
import type { PullSource } from '../../streams/index.js';
import { ChangeLog, type GapChange, type StateChange, type WatchOptions } from './change-log.js';

/** A change of a shared namespace, or its present state. */
export type NamespaceChange =
  | StateChange<{
      /** All values by name. */
      readonly values: Readonly<Record<string, unknown>>;
    }>
  | {
      /** A name has a new value. */
      readonly type: 'set';
      /** The name, which may be new. */
      readonly name: string;
      /** A copy of the value, unless it is a proxy. */
      readonly value: unknown;
    }
  | {
      /** A name is gone. */
      readonly type: 'delete';
      /** The name. */
      readonly name: string;
    }
  | GapChange;

/**
 * The namespace that a manager's `Namespace()` makes, in the server: named values. Names are data
 * here, never properties of an object, so that none of them means anything to JavaScript.
 *
 * Python: `SyncManager.Namespace`.
 */
export class ManagedNamespace {
  readonly #values = new Map<string, unknown>();
  readonly #changes = new ChangeLog<NamespaceChange>('Namespace.watch', {
    state: (missed) => ({ type: 'state', values: this.copy(), missed }),
    gap: (missed) => ({ type: 'gap', missed }),
  });

  /** @param values Names and values. Default: none. */
  constructor(values?: Readonly<Record<string, unknown>>) {
    for (const [name, value] of Object.entries(values ?? {})) this.#values.set(name, value);
  }

  /** Returns a value, or `undefined`. */
  get(name: string): unknown {
    return this.#values.get(name);
  }

  /** Sets a value. */
  set(name: string, value: unknown): Promise<void> | undefined {
    this.#values.set(name, value);
    return this.#changes.watched ? this.#changes.add({ type: 'set', name, value }) : undefined;
  }

  /** Returns whether there is such a name. */
  has(name: string): boolean {
    return this.#values.has(name);
  }

  /** Takes a name out. @returns whether it was there. */
  delete(name: string): boolean | Promise<boolean> {
    if (!this.#values.delete(name)) return false;
    const wait = this.#changes.watched ? this.#changes.add({ type: 'delete', name }) : undefined;
    return wait === undefined ? true : wait.then(() => true);
  }

  /** All names, as they are now. */
  keys(): string[] {
    return [...this.#values.keys()];
  }

  /** All pairs, as they are now. */
  entries(): [string, unknown][] {
    return [...this.#values];
  }

  /** All of it, as a plain object. */
  copy(): Record<string, unknown> {
    const object: Record<string, unknown> = {};
    for (const [name, value] of this.#values) {
      Object.defineProperty(object, name, { value, enumerable: true, writable: true, configurable: true });
    }
    return object;
  }

  /** `Namespace(name='Bob', x=1)`. */
  toString(): string {
    return `Namespace(${[...this.#values].map(([name, value]) => `${name}=${inspect(value)}`).join(', ')})`;
  }

  /** Returns what it holds, and then each change. */
  watch(options?: WatchOptions): PullSource<NamespaceChange> {
    return this.#changes.watch(options);
  }
}

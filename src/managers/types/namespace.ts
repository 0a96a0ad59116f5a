import { inspect } from 'node:util';
import type { PullSource } from '../../streams/index.js';
import { ChangeLog, type WatchOptions } from './change-log.js';

/** A change of a shared namespace, or its present state. */
export type NamespaceChange =
  /** What it holds now: the first item of a watcher, and what replaces the `missed` changes that it was too slow for. */
  | { readonly type: 'state'; readonly values: Readonly<Record<string, unknown>>; readonly missed: number }
  | { readonly type: 'set'; readonly name: string; readonly value: unknown }
  | { readonly type: 'delete'; readonly name: string }
  /** With `lag: 'drop-oldest'`: so many changes before the next one were lost. */
  | { readonly type: 'gap'; readonly missed: number };

/**
 * The namespace that a manager's `Namespace()` makes, in the server: named values. Names are data here, never properties of an object, so that
 * none of them means anything to JavaScript.
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

  /** A value, or `undefined`. */
  get(name: string): unknown {
    return this.#values.get(name);
  }

  /** Sets a value. */
  set(name: string, value: unknown): Promise<void> | undefined {
    this.#values.set(name, value);
    return this.#changes.watched ? this.#changes.add({ type: 'set', name, value }) : undefined;
  }

  /** Whether there is such a name. */
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

  /** What it holds, and then each change. */
  watch(options?: WatchOptions): PullSource<NamespaceChange> {
    return this.#changes.watch(options);
  }
}

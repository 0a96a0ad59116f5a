import { ArgumentError } from '../../errors/index.js';
import type { TaskStream } from '../../streams/index.js';
import { BaseProxy } from '../proxy.js';
import { Assignments } from './assignments.js';
import type { WatchOptions } from './change-log.js';
import type { NamespaceChange } from './namespace.js';

/**
 * The proxy of a namespace with these values: its methods, and a promise of each value by its name.
 */
export type NamespaceOf<T extends object> = NamespaceProxy<T> & {
  readonly [K in Exclude<keyof T, keyof NamespaceProxy>]: Promise<T[K]>;
};

/**
 * A manager's `Namespace`, in a client: named values, read as properties.
 *
 * Semantics: `await ns.x` is a copy of the value, `undefined` where there is none. `ns.x = 1` and
 * `delete ns.x` are sent at once, before whatever this process asks the server next; `await
 * ns.settled()` tells whether they arrived. `await ns.set('x', 1)` is both in one, and what
 * TypeScript has a type for. Names that begin with an underscore, and symbols, stay in this
 * process, as in Python. The names of this class are reached by `get` and `set` only.
 *
 * Python: `SyncManager.Namespace`.
 *
 * @example
 * import { manager } from 'multiprocess';
 *
 * await using m = await manager();
 * const ns = await m.Namespace({ x: 10 });
 * await ns.set('y', 20);
 * console.log(await ns.x, await ns.getValue()); // 10 { x: 10, y: 20 }
 */
export class NamespaceProxy<T extends object = Record<string, unknown>> extends BaseProxy<T> {
  readonly #assigned = new Assignments();

  /** @internal */
  // biome-ignore lint/suspicious/noExplicitAny: as the base class
  constructor(...made: any[]) {
    super(...made);
    // biome-ignore lint/correctness/noConstructorReturn: names are looked up when they are used
    return new Proxy<object>(this, HANDLER as ProxyHandler<object>) as this;
  }

  /** Returns a value, or `undefined`. */
  get<K extends keyof T & string>(name: K): Promise<T[K]> {
    return this.callMethod<T[K]>('get', [name]);
  }

  /** Sets a value. */
  set<K extends string>(name: K, value: K extends keyof T ? T[K] : unknown): Promise<void> {
    return this.callMethod<void>('set', [name, value]);
  }

  /** Returns whether there is such a name. */
  has(name: string): Promise<boolean> {
    return this.callMethod<boolean>('has', [name]);
  }

  /** Takes a name out. @returns whether it was there. */
  delete(name: string): Promise<boolean> {
    return this.callMethod<boolean>('delete', [name]);
  }

  /** All names, as they are now. */
  keys(): Promise<string[]> {
    return this.callMethod<string[]>('keys');
  }

  /** All pairs, as they are now. */
  entries(): Promise<[string, unknown][]> {
    return this.callMethod<[string, unknown][]>('entries');
  }

  /**
   * Waits for what was assigned and deleted as properties. Rejects with the first failure since it
   * was asked last.
   */
  settled(): Promise<void> {
    return this.#assigned.settled();
  }

  /**
   * Returns what it holds, and then each change, as a stream: the first item is `{ type: 'state',
   * values }`. See `DictProxy.watch`.
   */
  watch(options?: WatchOptions): TaskStream<NamespaceChange> {
    return this.callStream('watch', [options]);
  }

  /** @internal */
  static assigned(namespace: NamespaceProxy, sent: Promise<unknown>): void {
    namespace.#assigned.add(sent);
  }
}

/** Whether a name is one of the shared values, and not this process's own affair. */
const isShared = (namespace: object, name: string | symbol): name is string =>
  typeof name === 'string' && !name.startsWith('_') && (name as string) !== 'then' && !(name in namespace);

function refuseOwn(namespace: object, name: string | symbol): void {
  if (typeof name !== 'string' || name.startsWith('_') || !(name in namespace)) return;
  throw new ArgumentError(
    `Namespace: \`${name}\` is a method of the proxy; use set('${name}', value), get and delete for a value of that name.`,
    {
      code: 'MP_RESERVED_NAME',
    },
  );
}

const HANDLER: ProxyHandler<NamespaceProxy> = {
  get(target, name) {
    if (isShared(target, name)) return target.get(name);
    const own: unknown = Reflect.get(target, name, target);
    // Methods work on the object itself: private fields are its own.
    return typeof own === 'function' && own !== target.constructor ? own.bind(target) : own;
  },
  set(target, name, value) {
    refuseOwn(target, name);
    if (!isShared(target, name)) return Reflect.set(target, name, value, target);
    NamespaceProxy.assigned(target, target.set(name, value));
    return true;
  },
  deleteProperty(target, name) {
    refuseOwn(target, name);
    if (!isShared(target, name)) return Reflect.deleteProperty(target, name);
    NamespaceProxy.assigned(target, target.delete(name));
    return true;
  },
};

/**
 * AsyncLocalStorage stores that a pool was told of (`stores`). Such a store is shareable: wherever it
 * is captured, or comes with a call, it arrives as the same store of the worker, and a function of
 * the program's own modules that reaches it goes by value, as one does that reaches a lock.
 *
 * The store itself is marked by its prototype, which stands between it and AsyncLocalStorage.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { threadId } from 'node:worker_threads';
import { ArgumentError } from '../../errors/usage.js';
import { ATTACH, registerShareable } from '../../memory/shareable/shareable.js';
import { describe } from '../../util/options.js';
import { entry } from '../../util/package.js';

interface StoreHandle {
  /** What tells it from all other stores. */
  readonly id: string;
}

/** Kept for as long as the thread lives: who captured one may come back for it at any time. */
const byId = new Map<string, CarriedStore>();
const ids = new WeakMap<object, string>();
let made = 0;

class CarriedStore extends AsyncLocalStorage<unknown> {
  static [ATTACH]({ id }: StoreHandle): CarriedStore {
    const known = byId.get(id);
    if (known !== undefined) return known;
    const store = new CarriedStore();
    byId.set(id, store);
    ids.set(store, id);
    return store;
  }
}
// It is shown as what it was made as.
Object.defineProperty(CarriedStore, 'name', { value: 'AsyncLocalStorage' });

registerShareable<CarriedStore, StoreHandle>('AsyncLocalStorage', {
  module: entry('pool/wire/carried-stores'),
  class: CarriedStore,
  toHandle: (store) => ({ id: ids.get(store)! }),
  closed: () => false,
  identity: ({ id }) => id,
});

/** Marks a store, so that it can be sent. @throws ArgumentError for anything else. */
export function carryStore(actor: string, store: unknown): AsyncLocalStorage<unknown> {
  if (store instanceof CarriedStore) return store;
  if (!(store instanceof AsyncLocalStorage)) {
    throw new ArgumentError(`${actor}: \`stores\` must be an array of AsyncLocalStorage, and has ${describe(store)}.`);
  }
  if (Object.getPrototypeOf(store) !== AsyncLocalStorage.prototype) {
    throw new ArgumentError(
      `${actor}: \`stores\` has ${describe(store)}, a subclass of AsyncLocalStorage, which workers do not have; give it an AsyncLocalStorage.`,
    );
  }
  ids.set(store, `${process.pid}.${threadId}.${++made}`);
  Object.setPrototypeOf(store, CarriedStore.prototype);
  return store;
}

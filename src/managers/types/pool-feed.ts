/**
 * The items of a client's source on their way into a pool of the server: a batch at a time, and the
 * next when the pool has read it.
 *
 * Invariant: at most one batch waits. `push` answers when it has been read, with whether more is
 * wanted.
 */
import { type Deferred, deferred } from '../../util/deferred.js';
import { caller } from './caller.js';

export class PoolFeed<T> implements AsyncIterable<T> {
  #batch: readonly T[] = [];
  #read: Deferred<boolean> | null = null;
  #arrived: Deferred<void> = deferred<void>();
  #end: { readonly error: unknown; readonly failed: boolean } | null = null;
  #left = false;

  constructor() {
    // A client that is gone feeds nothing more.
    caller().client.onEnd(() => this.fail(new Error('The process that fed the pool is gone.')));
  }

  /** More items. @returns whether more is wanted. */
  push(items: readonly T[]): boolean | Promise<boolean> {
    if (this.#left || this.#end !== null) return false;
    this.#batch = items;
    this.#read = deferred<boolean>();
    this.#arrived.resolve();
    return this.#read.promise;
  }

  /** There are no more. */
  end(): void {
    this.#over({ error: undefined, failed: false });
  }

  /** The source failed. */
  fail(error: unknown): void {
    this.#over({ error, failed: true });
  }

  /** Returns the items, for the pool. Leaving tells the client. */
  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    try {
      for (;;) {
        await this.#arrived.promise;
        this.#arrived = deferred<void>();
        const batch = this.#batch;
        this.#batch = [];
        yield* batch;
        if (this.#end !== null && this.#batch.length === 0) {
          if (this.#end.failed) throw this.#end.error;
          return;
        }
        this.#answer(true);
      }
    } finally {
      this.#left = true;
      this.#answer(false);
    }
  }

  #over(end: { readonly error: unknown; readonly failed: boolean }): void {
    if (this.#end !== null) return;
    this.#end = end;
    this.#arrived.resolve();
  }

  #answer(more: boolean): void {
    const read = this.#read;
    this.#read = null;
    read?.resolve(more);
  }
}

import { inspect } from 'node:util';
import { atCaller } from '../codec/caller.js';
import { ArgumentError, ClosedError } from '../errors/index.js';
import { ATTACH, type BlockOnly, registerShareable } from '../memory/shareable/shareable.js';
import { describe } from '../util/options.js';
import { entry } from '../util/package.js';
import { printedAsShown } from '../util/printed.js';
import { SharedCopy } from './shared-copy.js';

/** What was made here is let go of when nobody holds it. */
const abandoned = new FinalizationRegistry<SharedCopy>((copy) => copy.letGo());

/**
 * A shared value: encoded once, for any number of processes and threads. `share` makes it.
 *
 * Semantics: `value` is a copy of what was shared, as it was then. It is decoded when it is first
 * asked for, and at most once in each process (in each worker thread, which has objects of its own),
 * for as long as whoever shared it keeps it. All who ask in one process get the same object, so what
 * one task changes in it the next one there sees; other processes never do. Typed arrays, Buffers,
 * DataViews and ArrayBuffers of 64 KiB and more are the shared memory itself, copy on write: they
 * take no memory until somebody writes, and then only the page (4 KiB) that was written to.
 *
 * It is shareable: as an argument, a result, captured by a function, in a queue, topic, connection
 * or manager it goes as a handle of some hundred bytes and arrives as the same object. The memory
 * goes with its last user: when each thread has disposed of it, lost it to the collector, or ended.
 * @example
 * import { Pool, share, type Shared } from 'multiprocess';
 *
 * const cities = share(new Map([['BER', 'Berlin'], ['OSL', 'Oslo']]));
 * const nameOf = (table: Shared<Map<string, string>>, code: string) => table.value.get(code);
 *
 * await using pool = new Pool({ processes: 2 });
 * console.log(await pool.map((code: string) => nameOf(cities, code), ['OSL', 'BER'])); // [ 'Oslo', 'Berlin' ]
 */
export class Shared<out T = unknown> implements Disposable {
  readonly #copy: SharedCopy;

  private constructor(copy: SharedCopy) {
    if (!(copy instanceof SharedCopy)) {
      throw new ArgumentError(`Shared: it is made by share(value), not by \`new Shared\` of ${describe(copy)}.`);
    }
    this.#copy = copy;
    if (copy.isOwn) abandoned.register(this, copy, this);
  }

  /** @internal */
  static over<T>(copy: SharedCopy): Shared<T> {
    return new Shared<T>(copy);
  }

  /** @internal */
  static [ATTACH]({ block }: BlockOnly, parts: readonly unknown[]): Shared {
    return new Shared(SharedCopy.attach(block, parts as readonly object[]));
  }

  /** @internal How it travels. */
  static toHandle(shared: Shared): BlockOnly {
    return { block: shared.#copy.block.handle };
  }

  /** @internal The shareable objects inside. */
  static parts(shared: Shared): readonly object[] {
    return shared.#copy.parts;
  }

  /**
   * The value. Modules that its functions come from are loaded before it returns.
   *
   * @throws ClosedError when it was disposed of here; SerializationError `MP_ASYNC_MODULE` when a
   * function in it needs a module with a top-level await (then use {@link load}), `MP_MODULE_FAILED` when
   * one does not load, `MP_REBUILD` when a reducer's function throws.
   */
  get value(): T {
    const copy = this.#open('read');
    try {
      return copy.value() as T;
    } catch (error) {
      throw atCaller(error, Object.getOwnPropertyDescriptor(Shared.prototype, 'value')!.get!);
    }
  }

  /**
   * The value, with the modules that its functions come from imported in parallel.
   * @throws (as rejection) as {@link value}, but for `MP_ASYNC_MODULE`.
   */
  async load(): Promise<T> {
    return (await this.#open('read').load()) as T;
  }

  /** Bytes of shared memory that it takes. */
  get size(): number {
    return this.#copy.size;
  }

  /** Whether it was disposed of in this thread. */
  get closed(): boolean {
    return this.#copy.block.closed;
  }

  /**
   * Ends its use in this thread. Others keep theirs, and what was taken out of `value` here stays
   * what it is. Closing twice does nothing.
   */
  close(): void {
    if (this.closed) return;
    abandoned.unregister(this);
    this.#copy.close();
  }

  /** As {@link close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** @internal */
  [inspect.custom](): string {
    return this.closed ? 'Shared (closed)' : `Shared (${this.size} bytes)`;
  }

  #open(what: string): SharedCopy {
    if (!this.closed) return this.#copy;
    throw new ClosedError(
      `Shared: it was disposed of in this thread and cannot be ${what} any more; dispose of it after its last use here.`,
    );
  }
}
printedAsShown(Shared);

registerShareable<Shared, BlockOnly>('Shared', {
  module: entry('share/shared'),
  class: Shared,
  toHandle: Shared.toHandle,
  closed: (shared) => shared.closed,
  parts: Shared.parts,
});

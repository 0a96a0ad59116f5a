import { NotOwnerError } from '../errors/index.js';
import { type Block, osThreadIdOf, registerShareable } from '../memory/index.js';
import { checkFunction } from '../util/options.js';
import { entry } from '../util/package.js';
import { ownerName } from './owner/owner-name.js';
import { ReleaseOnce } from './owner/release-once.js';
import { SharedObject } from './state/shared-object.js';
import { boundsOf, timedOut, timeoutOf, type WaitOptions } from './wait-options.js';
import { MUTEX_WORDS, Mutex } from './words/mutex.js';

/** What Lock and RLock have in common. */
export interface LockLike {
  /** Acquires without blocking: `false` when the time ran out. Rejects with `signal.reason`. */
  acquire(options?: WaitOptions): Promise<boolean>;
  /** Acquires if that is possible at once. */
  tryAcquire(): boolean;
  /** Acquires, blocking the thread: `false` when the time ran out. */
  acquireSync(options?: WaitOptions): boolean;
  /** Releases. @throws NotOwnerError. */
  release(): void;
  /** Whether anybody, in any process, holds it. */
  locked(): boolean;
  /** Acquires for a `using` block. @throws TimeoutError `MP_TIMEOUT`. */
  hold(options?: WaitOptions): Promise<Disposable>;
  /** Runs `fn` while holding it. @throws TimeoutError `MP_TIMEOUT`; what `fn` throws. */
  runExclusive<R>(fn: () => R | PromiseLike<R>, options?: WaitOptions): Promise<R>;
  /** Whether an owner died holding it and nobody has called {@link recover} since. */
  readonly ownerDied: boolean;
  /** Says that what the lock guards is whole again. */
  recover(): void;
}

const AT_ONCE = Promise.resolve(true);

/**
 * Mutual exclusion between processes and threads.
 *
 * Semantics: whoever holds it, any process and any task may release it. It is not recursive:
 * acquiring it twice waits for ever, see {@link RLock}. While nobody waits, acquiring and releasing
 * are a compare-and-set each, without a system call.
 *
 * Fairness: who comes just when it is released may overtake those who sleep, but not one who has
 * waited for 10 ms.
 *
 * Owner death: when the process or thread that acquired it ends without releasing it, the next one
 * gets it, with {@link ownerDied} set: what the lock guards may be half changed. Repair it, then
 * call {@link recover}. A waiter notices within about 60 ms.
 *
 * Cancellation: an aborted acquire leaves nothing behind, and a wake-up that was under way to it
 * goes to another one.
 *
 * Python: `multiprocessing.Lock`. `acquire(False)` is `tryAcquire()`, `with lock` is `using held =
 * await lock.hold()`.
 *
 * @example
 * import { Lock, Value } from 'multiprocess';
 *
 * const lock = new Lock();
 * const counter = new Value('i', 0);
 * await lock.runExclusive(() => counter.value++);
 * console.log(counter.value); // 1
 */
export class Lock extends SharedObject implements LockLike {
  readonly #mutex: Mutex;

  /**
   * A new lock, which nobody holds.
   * @throws MultiprocessError `MP_SYSTEM` without memory or descriptors.
   */
  constructor();
  /** @internal */
  constructor(block?: Block);
  constructor(block?: Block) {
    super(4 * MUTEX_WORDS, block);
    this.#mutex = new Mutex(this.block, 0, 'Lock');
  }

  acquire(options?: WaitOptions): Promise<boolean> {
    try {
      return this.#mutex.acquire('Lock.acquire', boundsOf('Lock.acquire', options)) ?? AT_ONCE;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  tryAcquire(): boolean {
    return this.#mutex.tryAcquire('Lock.tryAcquire');
  }

  acquireSync(options?: WaitOptions): boolean {
    return this.#mutex.acquireSync('Lock.acquireSync', timeoutOf('Lock.acquireSync', options));
  }

  /** Releases it, whoever acquired it. @throws NotOwnerError when nobody holds it. */
  release(): void {
    if (!this.#mutex.release('Lock.release'))
      throw new NotOwnerError('Lock.release: nobody holds it; release once for each acquire that answered true.');
  }

  locked(): boolean {
    this.block.check('Lock.locked');
    return this.#mutex.owner !== 0;
  }

  async hold(options?: WaitOptions): Promise<Disposable> {
    await this.#take('Lock.hold', options);
    return new ReleaseOnce(() => this.release());
  }

  async runExclusive<R>(fn: () => R | PromiseLike<R>, options?: WaitOptions): Promise<R> {
    checkFunction('Lock.runExclusive', 'fn', fn);
    await this.#take('Lock.runExclusive', options);
    try {
      return await fn();
    } finally {
      this.release();
    }
  }

  get ownerDied(): boolean {
    this.block.check('Lock.ownerDied');
    return this.#mutex.ownerDied;
  }

  recover(): void {
    this.block.check('Lock.recover');
    this.#mutex.recover();
  }

  /** Process (or, for a worker thread, thread) id of who acquired it; `null` when nobody did. */
  get owner(): number | null {
    this.block.check('Lock.owner');
    return osThreadIdOf(this.#mutex.owner) || null;
  }

  // ---- for conditions

  /** @internal Whether the calling thread acquired it. */
  get owned(): boolean {
    return this.#mutex.ownedHere;
  }

  /** @internal Releases it for a wait. */
  suspend(): null {
    this.#mutex.release('Condition.wait');
    return null;
  }

  /** @internal Acquires it after a wait. */
  async resume(_: null): Promise<void> {
    await this.#mutex.acquire('Condition.wait');
  }

  /** @internal */
  resumeSync(_: null): void {
    this.#mutex.acquireSync('Condition.waitSync');
  }

  async #take(actor: string, options: WaitOptions | undefined): Promise<void> {
    const taking = this.#mutex.acquire(actor, boundsOf(actor, options));
    if (taking !== null && !(await taking)) throw timedOut(actor, options);
  }

  /** `<Lock(owner=None)>`, `<Lock(owner=MainProcess)>`, `<Lock(owner=SomeOtherProcess 4711)>`. */
  protected override shown(): string {
    return `<Lock(owner=${ownerName(this.#mutex.owner)}${this.ownerDied ? ', owner died' : ''})>`;
  }
}

registerShareable('Lock', {
  module: entry('synchronize/index'),
  class: Lock,
  toHandle: SharedObject.toHandle,
  closed: SharedObject.isClosed,
});

import { ArgumentError } from '../errors/index.js';
import { type LockLike, RLock, timedOut, type WaitOptions } from '../synchronize/index.js';
import { checkFunction, describe } from '../util/options.js';
import { boundsOf } from '../util/wait-options.js';

/** What a Value or SharedArray needs of its lock. Lock, RLock, Semaphore and their like have it. */
export type ValueLock = Pick<LockLike, 'acquire' | 'tryAcquire' | 'acquireSync' | 'release'>;

/** How a Value or SharedArray is made. */
export interface SharedOptions {
  /**
   * `true` (default): a new RLock. `false`: none, and the object is a RawValue or RawArray.
   * Otherwise the lock to use.
   */
  readonly lock?: boolean | ValueLock | null | undefined;
}

/**
 * The lock of the options; `null` for none.
 * @throws ArgumentError `MP_INVALID_ARGUMENT` for what is no lock. `made`, if any, is disposed of
 * then.
 */
export function lockOf(actor: string, lock: SharedOptions['lock'], made: Disposable | null): ValueLock | null {
  if (lock === false) return null;
  try {
    if (lock === undefined || lock === null || lock === true) return new RLock();
    const has = (name: string): boolean => typeof (lock as unknown as Record<string, unknown>)[name] === 'function';
    if (typeof lock === 'object' && ['acquire', 'tryAcquire', 'acquireSync', 'release'].every(has)) return lock;
    throw new ArgumentError(`${actor}: \`lock\` must be a Lock, an RLock or a boolean, not ${describe(lock)}.`);
  } catch (error) {
    made?.[Symbol.dispose]();
    throw error;
  }
}

/** An object without a lock and the lock that is to guard it. */
export class Pair<R> {
  constructor(
    readonly raw: R,
    readonly lock: ValueLock,
  ) {}
}

/** The methods by which a synchronized object passes its lock on. */
export abstract class Guarded {
  readonly #lock: ValueLock;

  /** @internal */
  constructor(lock: ValueLock) {
    this.#lock = lock;
  }

  /** The lock that guards it. */
  getLock(): ValueLock {
    return this.#lock;
  }

  /** Acquires the lock: `false` when the time ran out. Rejects with `signal.reason`. */
  acquire(options?: WaitOptions): Promise<boolean> {
    return this.#lock.acquire(options);
  }

  /** Acquires the lock if that is possible at once. */
  tryAcquire(): boolean {
    return this.#lock.tryAcquire();
  }

  /** Acquires the lock, blocking the thread: `false` when the time ran out. */
  acquireSync(options?: WaitOptions): boolean {
    return this.#lock.acquireSync(options);
  }

  /** Releases the lock. @throws NotOwnerError. */
  release(): void {
    this.#lock.release();
  }

  /**
   * Runs `fn` while holding the lock, and resolves to its result.
   * @throws (rejects) TimeoutError `MP_TIMEOUT`; `signal.reason`; what `fn` throws.
   */
  async runExclusive<R>(fn: () => R | PromiseLike<R>, options?: WaitOptions): Promise<R> {
    const actor = `${this.constructor.name}.runExclusive`;
    checkFunction(actor, 'fn', fn);
    const bounds = boundsOf(actor, options);
    if (!(await this.#lock.acquire(bounds))) throw timedOut(actor, bounds);
    try {
      return await fn();
    } finally {
      this.#lock.release();
    }
  }
}

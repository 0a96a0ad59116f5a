import { ClosedError, TimeoutError } from '../errors/index.js';
import { registerAfterFork } from './after-fork.js';
import { Deque } from './deque.js';
import { limitWait } from './limit-wait.js';
import { checkFunction } from './options.js';
import { boundsOf, type WaitOptions } from './wait-options.js';

/**
 * An object for whatever belongs to this thread alone: any property may be set. A forked child
 * finds it empty. It cannot be sent.
 *
 * Python: `multiprocess.util.ForkAwareLocal`.
 * @example
 * // node --single-threaded --v8-pool-size=1
 * import { getContext } from 'multiprocess';
 * import { ForkAwareLocal } from 'multiprocess/util';
 *
 * const local = new ForkAwareLocal();
 * local['requests'] = 5;
 * const { Process } = getContext('fork');
 * const child = await new Process(() => console.log('in the fork', local['requests'])).start();
 * await child.join();
 * console.log('here', local['requests']); // in the fork undefined here 5
 */
export class ForkAwareLocal {
  [name: string]: unknown;

  constructor() {
    registerAfterFork(this, (local) => {
      for (const name of Object.keys(local)) delete local[name];
    });
  }
}

interface Waiter {
  readonly take: () => void;
}

/**
 * A lock among the asynchronous tasks of this thread, free again in a forked child whoever held it
 * at the fork.
 *
 * Semantics: first come, first served. It is not shared with other processes or threads: that is
 * `Lock`.
 *
 * Python: `multiprocess.util.ForkAwareThreadLock`.
 * @example
 * import { ForkAwareThreadLock } from 'multiprocess/util';
 *
 * const lock = new ForkAwareThreadLock();
 * const order: string[] = [];
 * const visit = (name: string) =>
 *   lock.runExclusive(async () => {
 *     order.push(`${name} in`);
 *     await null;
 *     order.push(`${name} out`);
 *   });
 * await Promise.all([visit('a'), visit('b')]);
 * console.log(order.join(', ')); // a in, a out, b in, b out
 */
export class ForkAwareThreadLock {
  #held = false;
  readonly #waiting = new Deque<Waiter>();

  constructor() {
    registerAfterFork(this, (lock) => {
      lock.#held = false;
      // Nobody continues in the child what waited in the parent.
      lock.#waiting.clear();
    });
  }

  /** Whether it is held. */
  locked(): boolean {
    return this.#held;
  }

  /** Takes it if it is free. Returns whether it did. */
  tryAcquire(): boolean {
    if (this.#held) return false;
    this.#held = true;
    return true;
  }

  /**
   * Waits for it.
   * @param options `timeout` in milliseconds; `signal` rejects the wait with its reason.
   * @returns `false` when the time ran out.
   */
  acquire(options?: WaitOptions): Promise<boolean> {
    return this.#acquire('ForkAwareThreadLock.acquire', options);
  }

  async #acquire(actor: string, options: WaitOptions | undefined): Promise<boolean> {
    const { timeout, signal } = boundsOf(actor, options) ?? {};
    signal?.throwIfAborted();
    if (this.tryAcquire()) return true;
    if (timeout !== undefined && timeout <= 0) return false;
    return new Promise<boolean>((resolve, reject) => {
      const waiter = {
        take: () => {
          unlimit();
          resolve(true);
        },
      };
      const leave = (settle: () => void) => {
        unlimit();
        if (this.#waiting.remove(waiter)) settle();
      };
      const unlimit = limitWait(
        { timeout, signal },
        () => leave(() => resolve(false)),
        (reason) => leave(() => reject(reason)),
      );
      this.#waiting.push(waiter);
    });
  }

  /** Gives it to the next who waits. @throws ClosedError `MP_NOT_LOCKED` when it is not held. */
  release(): void {
    if (!this.#held) {
      throw new ClosedError(
        'ForkAwareThreadLock.release: it is not held; release it once for each time it was acquired.',
        {
          code: 'MP_NOT_LOCKED',
        },
      );
    }
    const next = this.#waiting.shift();
    if (next === undefined) this.#held = false;
    else next.take();
  }

  /**
   * Runs `fn` while holding it.
   * @throws (rejects) TimeoutError `MP_TIMEOUT`; `signal.reason`; what `fn` throws.
   */
  async runExclusive<R>(fn: () => R | PromiseLike<R>, options?: WaitOptions): Promise<R> {
    checkFunction('ForkAwareThreadLock.runExclusive', 'fn', fn);
    if (!(await this.#acquire('ForkAwareThreadLock.runExclusive', options))) {
      throw new TimeoutError(
        `ForkAwareThreadLock.runExclusive: not acquired within ${options?.timeout} ms; give it more time, or use acquire(), which answers false.`,
      );
    }
    try {
      return await fn();
    } finally {
      this.release();
    }
  }
}

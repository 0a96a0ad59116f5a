import { timedOut } from '../../synchronize/index.js';
import { checkFunction } from '../../util/options.js';
import { checkWaitOptions, type WaitOptions } from '../../util/wait-options.js';
import { BaseProxy } from '../proxy.js';
import { RemoteHeld } from './remote-held.js';

/**
 * A manager's `Semaphore` or `BoundedSemaphore`, in a client.
 *
 * Semantics, owner death: as `Semaphore`: permits taken by `hold` or `runExclusive` come back when
 * the process or thread that took them is gone.
 *
 * `getValue()`: the permits that are there now.
 *
 * Python: `SyncManager.Semaphore`, `SyncManager.BoundedSemaphore`.
 * @example
 * import { manager } from 'multiprocess';
 *
 * await using m = await manager();
 * const seats = await m.Semaphore(2);
 * await seats.runExclusive(async () => {
 *   console.log(await seats.getValue()); // 1
 * });
 * console.log(await seats.getValue()); // 2
 */
export class SemaphoreProxy extends BaseProxy<number> {
  /** Takes a permit: `false` when the time ran out. Rejects with `signal.reason`. */
  acquire(options?: WaitOptions): Promise<boolean> {
    return this.callMethod<boolean>('acquire', [options]);
  }

  /** Takes a permit if one is there. */
  tryAcquire(): Promise<boolean> {
    return this.acquire({ timeout: 0 });
  }

  /**
   * Gives permits.
   * @param count Default 1.
   * @throws NotOwnerError when a bounded semaphore would have more than at first; ArgumentError.
   */
  release(count = 1): Promise<void> {
    return this.callMethod<void>('release', [count]);
  }

  /**
   * Takes a permit for an `await using` (or `using`) block; it comes back too when this process or
   * thread is gone.
   * @throws TimeoutError `MP_TIMEOUT`.
   */
  hold(options?: WaitOptions): Promise<RemoteHeld> {
    return this.#hold('Semaphore.hold', options);
  }

  async #hold(actor: string, options: WaitOptions | undefined): Promise<RemoteHeld> {
    checkWaitOptions(actor, options);
    if (!(await this.callMethod<boolean>('acquire', [{ ...options, held: true }]))) throw timedOut(actor, options);
    return new RemoteHeld(() => this.callMethod('release', [1, { held: true }]));
  }

  /**
   * Runs `fn`, here, while holding a permit.
   * @throws TimeoutError `MP_TIMEOUT`; what `fn` throws.
   */
  async runExclusive<R>(fn: () => R | PromiseLike<R>, options?: WaitOptions): Promise<R> {
    checkFunction('Semaphore.runExclusive', 'fn', fn);
    const held = await this.#hold('Semaphore.runExclusive', options);
    try {
      return await fn();
    } finally {
      await held[Symbol.asyncDispose]();
    }
  }
}

import { timedOut } from '../../synchronize/index.js';
import { checkFunction } from '../../util/options.js';
import type { WaitOptions } from '../../util/wait-options.js';
import { BaseProxy } from '../proxy.js';
import { RemoteHeld } from './remote-held.js';

/** A task's hold of a lock while it waits on a condition. */
export interface Suspended {
  /** The task's number in its agent; 0 where the lock does not tell tasks apart. */
  readonly task: number;
  /** The lock is the task's again. */
  resume(): void;
}

/** What a lock's proxy gives a condition's. */
export interface LockProxyLike {
  acquire(options?: WaitOptions): Promise<boolean>;
  release(): Promise<void>;
  hold(options?: WaitOptions): Promise<RemoteHeld>;
  runExclusive<R>(fn: () => R | PromiseLike<R>, options?: WaitOptions): Promise<R>;
  /** The number of the caller's hold; 0 where the lock does not tell tasks apart. */
  readonly task: number;
  /** The server takes the lock from the caller for a wait. */
  suspend(): Suspended;
}

/**
 * A manager's `Lock`, in a client.
 *
 * Semantics, owner death: as `Lock`, but for every client of the manager, wherever it runs: when
 * the process or thread that acquired it is gone, the next one gets it, and `ownerDied` is true
 * until `recover()`. Cancellation: an aborted `acquire` rejects with `signal.reason`, unless it had
 * the lock first.
 *
 * Python: `SyncManager.Lock`.
 *
 * @example
 * import { manager } from 'multiprocess';
 *
 * await using m = await manager();
 * const [lock, counter] = [await m.Lock(), await m.Value('i', 0)];
 * await lock.runExclusive(async () => counter.set((await counter.get()) + 1));
 * console.log(await counter.value); // 1
 */
export class LockProxy extends BaseProxy {
  /** Acquires: `false` when the time ran out. Rejects with `signal.reason`. */
  acquire(options?: WaitOptions): Promise<boolean> {
    return this.callMethod<boolean>('acquire', [options]);
  }

  /** Acquires if that is possible at once. */
  tryAcquire(): Promise<boolean> {
    return this.acquire({ timeout: 0 });
  }

  /** Releases it, whoever acquired it. @throws NotOwnerError when nobody holds it. */
  async release(): Promise<void> {
    await this.callMethod('release');
  }

  /** Returns whether anybody, in any client, holds it. */
  locked(): Promise<boolean> {
    return this.callMethod<boolean>('locked');
  }

  /** Acquires for an `await using` (or `using`) block. @throws TimeoutError `MP_TIMEOUT`. */
  async hold(options?: WaitOptions): Promise<RemoteHeld> {
    if (!(await this.acquire(options))) throw timedOut('Lock.hold', options);
    return new RemoteHeld(() => this.release());
  }

  /** Runs `fn`, here, while holding it. @throws TimeoutError `MP_TIMEOUT`; what `fn` throws. */
  async runExclusive<R>(fn: () => R | PromiseLike<R>, options?: WaitOptions): Promise<R> {
    checkFunction('Lock.runExclusive', 'fn', fn);
    const held = await this.hold(options);
    try {
      return await fn();
    } finally {
      await held[Symbol.asyncDispose]();
    }
  }

  /** Whether an owner was gone while it held it, and nobody has called {@link recover} since. */
  declare readonly ownerDied: Promise<boolean>;

  /** Says that what the lock guards is whole again. */
  async recover(): Promise<void> {
    await this.callMethod('recover');
  }

  /** Process id of who acquired it; `null` when nobody did. */
  declare readonly owner: Promise<number | null>;

  /** @internal */
  get task(): number {
    return 0;
  }

  /** @internal */
  suspend(): Suspended {
    return { task: 0, resume: () => {} };
  }
}
